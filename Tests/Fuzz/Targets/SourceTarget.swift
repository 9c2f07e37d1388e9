internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import KdumpLibrary
internal import Storage

enum SourceTarget {
  static func run(_ bytes: [UInt8], _ format: FileFormat) -> Outcome {
    var pages = 0
    do throws(CheckpointError) {
      let source = try format.open(
        InputStream(MemoryOrigin(bytes)), kdump: KdumpSource.open)
      repeat {
        while let event = try source.next() {
          if case .pages(let batch) = event { pages += batch.pages.count }
        }
      } while try source.series?.beginNextMoment() ?? false
    } catch {
      return error.kind == .io ? .broken("\(error)") : .refused
    }
    return pages * Limits.pageSize <= bytes.count
      ? .accepted : .broken("\(pages) pages of \(bytes.count) bytes")
  }
}
