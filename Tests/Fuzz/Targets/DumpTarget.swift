internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import KdumpLibrary
internal import Storage

enum DumpTarget {
  static func run(_ bytes: [UInt8], _ format: FileFormat) -> Outcome {
    var pages = 0
    do throws(CheckpointError) {
      let source = try format.open(
        InputStream(MemoryOrigin(bytes)), kdump: KdumpSource.open)
      while let event = try source.next() {
        if case .pages(let batch) = event { pages += batch.pages.count }
      }
    } catch {
      return error.kind == .io ? .broken("\(error)") : .refused
    }
    return pages <= bytes.count ? .accepted : .broken("\(pages) pages of \(bytes.count) bytes")
  }

  static func runTables(_ bytes: [UInt8]) -> Outcome {
    do throws(CheckpointError) {
      let dump = try KdumpFile(LocalFile(spooling: InputStream(MemoryOrigin(bytes))))
      let pages = dump.dumped.reduce(0) { $0 + $1.count }
      return pages <= bytes.count ? .accepted : .broken("\(pages) pages of \(bytes.count) bytes")
    } catch {
      return error.kind == .io ? .broken("\(error)") : .refused
    }
  }
}
