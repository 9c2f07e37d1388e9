internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// The bytes of a member of an archive.
final class MemberOrigin: ByteOrigin {
  let name: String
  let modified: (seconds: Int, nanoseconds: Int)?
  let length: UInt64? = nil
  var cancellation: Cancellation { input.cancellation }
  let containers: [String]
  private let input: InputStream
  private let archive: ArchiveReader
  private var isAtEnd = false
  private var ending: (() throws(CheckpointError) -> Void)?

  /// Reads `member`, which must be the current one of `archive`.
  init(_ member: ArchiveReader.Member, of archive: ArchiveReader, in input: InputStream) {
    name = "\(input.name):\(member.path)"
    modified = member.modified ?? input.modified
    containers =
      input.containers + ["\(archive.format?.rawValue ?? "archive") member \(member.path)"]
    self.input = input
    self.archive = archive
  }

  /// Sets an action that runs once, before the end of the member is reported.
  func atEnd(_ ending: @escaping () throws(CheckpointError) -> Void) { self.ending = ending }

  var fractionDone: Double? { input.fractionDone }

  func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    guard !isAtEnd else { return 0 }
    let count = unsafe try archive.read(into: target)
    if count == 0 {
      // The action may move the archive to another member.
      isAtEnd = true
      try ending?()
    }
    return count
  }

  func seek(to offset: UInt64) throws(CheckpointError) {
    throw CheckpointError(.refused, "cannot seek in a member", file: name)
  }
}
