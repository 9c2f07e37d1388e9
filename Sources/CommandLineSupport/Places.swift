package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Storage

// What tools read and write is opened here, or as a chain by `ChainOptions`; sources of a capture by `SourceInput`.

/// Opens what is stored under a name, an image or what should be one; `-` is standard input.
package func openStorage(_ name: String) throws(CheckpointError) -> any RangeReader {
  try LocalFile(name, cancellation: Signals.cancellation)
}

/// Opens an image without its ancestors; `-` is standard input.
package func openImage(_ name: String) throws(CheckpointError) -> ImageFile {
  try ImageFile(openStorage(name), cancellation: Signals.cancellation)
}

/// Finds the ancestors of the image that is stored under a name: beside it, and in other folders.
package func openFinder(of name: String, searching folders: [String] = []) throws(CheckpointError)
  -> any ImageFinder
{
  try Folders(of: name, searching: folders, cancellation: Signals.cancellation)
}

/// Opens an output; `-` is standard output.
///
/// - Parameters:
///   - force: replace what is there.
///   - sync: wait until it is stored safely.
package func openOutput(_ name: String, force: Bool, sync: Bool) throws(CheckpointError)
  -> any ByteSink
{
  try OutputFile.open(name, force: force, sync: sync, cancellation: Signals.cancellation)
}

/// Opens standard output for binary results; throws `.refused` if it is a terminal.
package func openStandardOutput() throws(CheckpointError) -> any ByteSink {
  try openOutput("-", force: false, sync: false)
}
