public import CheckpointCodec
public import CheckpointImage
public import Interchange

/// Opens a dump of makedumpfile's kind. A pipe is spooled: where pages are is told by their descriptors.
public enum KdumpSource {
  /// Headers, bitmaps and descriptors are checked before the library that expands pages sees the file.
  public static func open(_ input: InputStream) throws(CheckpointError) -> any DescribedSource {
    let file = if let file = try input.file() { file } else { try InputFile(spooling: input) }
    do throws(CheckpointError) {
      let dump = try KdumpFile(file)
      return dump.source(input, try KdumpMemory(file, dump))
    } catch {
      throw error.inFile(input.name)
    }
  }
}
