internal import CheckpointCodec
package import CheckpointImage
package import Formats
package import Storage

/// Opens a dump as makedumpfile writes it. A pipe is spooled, since the descriptors say where pages lie.
package enum KdumpSource {
  /// Opens a dump. Headers, bitmaps and descriptors are checked before libkdumpfile reads the file.
  package static func open(_ input: InputStream) throws(CheckpointError) -> any DescribedSource {
    let file =
      if let file = try input.file() { file } else {
        // Its tables say what is missing.
        try LocalFile.spooling(whatThereIsOf: input).file
      }
    do throws(CheckpointError) {
      let dump = try KdumpFile(file)
      return dump.source(input, try KdumpMemory(file, dump))
    } catch {
      throw error.inFile(input.name)
    }
  }
}
