internal import CheckpointCodec
internal import CheckpointImage
import Storage

/// An input that is in memory.
final class MemoryOrigin: ByteOrigin {
  let name = "input"
  let modified: (seconds: Int, nanoseconds: Int)? = nil
  let containers: [String] = []
  let cancellation = Cancellation()
  let length: UInt64?
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8], seekable: Bool = false) {
    self.bytes = bytes
    length = seekable ? UInt64(bytes.count) : nil
  }

  var fractionDone: Double? { Double(position) / Double(max(1, bytes.count)) }

  func read(into target: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(target.count, bytes.count - position)
    unsafe bytes.withUnsafeBytes {
      unsafe target.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
    }
    position += count
    return count
  }

  func seek(to offset: UInt64) { position = Int(offset) }
}
