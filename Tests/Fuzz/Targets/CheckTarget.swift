internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Storage

enum CheckTarget {
  /// The first byte chooses the format, the others are the stream.
  static func run(_ input: [UInt8]) -> Outcome {
    let formats: [XenFormat] = [.xl, .libxl, .libxc, .libvirt, .xenServer]
    guard let first = input.first, Int(first) < formats.count else { return .refused }
    let stream = Array(input.dropFirst())
    let check = XenStreamCheck(InputStream(MemoryOrigin(stream)), formats[Int(first)])
    do throws(CheckpointError) {
      try check.run()
    } catch {
      return .broken("\(error)")
    }
    guard check.findings.isEmpty else { return .refused }
    return check.counts.bytes == UInt64(stream.count)
      ? .accepted : .broken("found sound after \(check.counts.bytes) of \(stream.count) bytes")
  }
}
