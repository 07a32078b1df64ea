/** Appends a byte to the file of its argument whenever it is told to. */
import { osDisk } from '../../src/disk/os.js';

const file = osDisk.open(process.argv[2] ?? '', 'write');
process.on('message', () => file?.write(new Uint8Array([120]), 0, 1, file.size()));
console.log('ready');
