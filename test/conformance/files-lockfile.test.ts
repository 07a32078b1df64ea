import t from 'tap';
import { filesLockfile } from './engines.js';
import { runSuites } from './suite.js';
import { suites } from './suites.js';

runSuites(t, filesLockfile, suites);
