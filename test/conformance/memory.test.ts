import t from 'tap';
import { memory } from './engines.js';
import { runSuites } from './suite.js';
import { suites } from './suites.js';

runSuites(t, memory, suites);
