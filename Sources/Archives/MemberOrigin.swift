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
    if !isAtEnd {
      let count = unsafe try archive.read(into: target)
      guard count == 0 else { return count }
      // The action may move the archive to another member.
      isAtEnd = true
    }
    // Of a small member, the end is seen before it is known that it is the one, and that there is an action.
    try ending.take()?()
    return 0
  }

  func seek(to offset: UInt64) throws(CheckpointError) {
    throw CheckpointError(.refused, "cannot seek in a member", file: name)
  }
}
