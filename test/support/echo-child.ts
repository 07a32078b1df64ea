/** Answers every IPC message with itself, prints its arguments, and stays until it is told to leave. */
console.log(`arguments ${process.argv.slice(2).join(' ')}`);
console.log(`options ${process.env['NODE_OPTIONS'] === undefined ? 'none' : 'set'}`);
process.on('message', (message) => {
  if (message === 'leave') {
    console.error('left as told');
    process.exit(3);
  }
  process.send?.({ echo: message });
});
process.send?.('ready');
