/** What directories of this library call themselves, and the version of everything in them. */
export const FORMAT_NAME = 'durostore';
export const FORMAT_VERSION = 1;
