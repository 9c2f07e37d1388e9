internal import CZlib
internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Expands gzip: any number of members, each with its checksum and length.
@safe final class GzipExpander: Expander {
  private let input: InputStream
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  // SAFETY of all uses: zlib keeps the address of `state`, which is part of this object and does not move.
  // Its input pointer is into `buffer`, its output pointer is used only during `read`; both come with their
  // lengths.
  private var state = unsafe z_stream()
  /// Whether the next byte begins a member.
  private var isBetweenParts = false

  init(_ input: InputStream) throws(CheckpointError) {
    self.input = input
    // 16 added to the largest window size: gzip only.
    let status = unsafe inflateInit2_(
      &state, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { throw error(.refused, "zlib has no memory") }
  }

  deinit {
    unsafe inflateEnd(&state)
    unsafe buffer.deallocate()
  }

  private func error(_ kind: CheckpointError.Kind, _ reason: String) -> CheckpointError {
    CheckpointError(
      kind, reason, structure: "gzip data",
      offset: unsafe input.position - UInt64(state.avail_in), file: input.name)
  }

  func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    // zlib counts in 32 bits.
    let room = min(target.count, 1 << 30)
    while true {
      if unsafe state.avail_in == 0 {
        let count = unsafe try input.readSome(into: buffer)
        guard count > 0 else {
          if isBetweenParts { return 0 }
          throw error(.incomplete, "the input ends before the gzip data do")
        }
        unsafe state.next_in = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe state.avail_in = UInt32(count)
      }
      if isBetweenParts {
        unsafe inflateReset(&state)
        isBetweenParts = false
      }
      unsafe state.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
      unsafe state.avail_out = UInt32(room)
      let status = unsafe inflate(&state, Z_NO_FLUSH)
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
        let text = unsafe state.msg.map { unsafe String(cString: $0) }
        throw error(.damaged, text ?? "cannot be expanded")
      }
      isBetweenParts = status == Z_STREAM_END
      let count = unsafe room - Int(state.avail_out)
      if count > 0 { return count }
    }
  }

  func drain() -> UInt64 { 0 }
}
