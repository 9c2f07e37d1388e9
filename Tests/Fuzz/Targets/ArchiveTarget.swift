internal import Archives
internal import CheckpointCodec
internal import CheckpointImage
import Formats
internal import KdumpLibrary
internal import Storage

enum ArchiveTarget {
  private static let mostPages = 4096

  /// The first byte tells whether the input can be sought in, and whether it is plain memory.
  static func run(_ input: [UInt8]) -> Outcome {
    guard let choice = input.first else { return .refused }
    let stream = InputStream(MemoryOrigin(Array(input.dropFirst()), seekable: choice & 1 != 0))
    do throws(CheckpointError) {
      let found = try SourceInput.source(
        in: stream, named: choice & 2 != 0 ? "memory.tar.xz" : "",
        member: choice & 4 != 0 ? "save" : nil, as: choice & 2 != 0 ? .raw : nil)
      let source = try found.format.open(found.input, kdump: KdumpSource.open)
      var pages = 0
      // A few bytes may expand to very many.
      while pages < mostPages, let event = try source.next() {
        if case .pages(let batch) = event { pages += batch.pages.count }
      }
    } catch {
      return error.kind == .io ? .broken("\(error)") : .refused
    }
    return .accepted
  }
}
