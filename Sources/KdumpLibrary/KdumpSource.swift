internal import CheckpointCodec
package import CheckpointImage
package import Formats
package import Storage

/// Opens a dump of makedumpfile's kind. A pipe is spooled: where pages are is told by their descriptors.
package enum KdumpSource {
  /// Headers, bitmaps and descriptors are checked before the library that expands pages sees the file.
  package static func open(_ input: InputStream) throws(CheckpointError) -> any DescribedSource {
    let file = if let file = try input.file() { file } else { try LocalFile(spooling: input) }
    do throws(CheckpointError) {
      let dump = try KdumpFile(file)
      return dump.source(input, try KdumpMemory(file, dump))
    } catch {
      throw error.inFile(input.name)
    }
  }
}
