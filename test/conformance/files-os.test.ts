import t from 'tap';
import { filesOs } from './engines.js';
import { runSuites } from './suite.js';
import { suites } from './suites.js';

runSuites(t, filesOs, suites);
