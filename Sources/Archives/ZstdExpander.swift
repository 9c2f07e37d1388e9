internal import CZstd
internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Expands zstd: any number of frames.
@safe final class ZstdExpander: Expander {
  /// The largest window as a binary logarithm, which is the memory that a frame may demand: 1 GiB, or 128 MiB
  /// inside another container, since each container allocates its own.
  private static let (maximumWindow, maximumNestedWindow): (Int32, Int32) = (30, 27)

  private let input: InputStream
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  // SAFETY of all uses: `context` and `buffer`, into which `source` points, are freed only by `deinit`; the
  // output pointer is used only during `read`. All pointers come with their lengths.
  private let context: OpaquePointer?
  private var source = unsafe ZSTD_inBuffer()
  /// Whether the next byte begins a frame.
  private var isBetweenFrames = true

  init(_ input: InputStream) throws(CheckpointError) {
    self.input = input
    unsafe context = ZSTD_createDCtx()
    guard unsafe context != nil else { throw error(.refused, "zstd has no memory") }
    unsafe ZSTD_DCtx_setParameter(
      context, ZSTD_d_windowLogMax,
      input.containers.isEmpty ? Self.maximumWindow : Self.maximumNestedWindow)
    unsafe source.src = UnsafeRawPointer(buffer.baseAddress)
  }

  deinit {
    unsafe ZSTD_freeDCtx(context)
    unsafe buffer.deallocate()
  }

  private func error(_ kind: CheckpointError.Kind, _ reason: String) -> CheckpointError {
    CheckpointError(
      kind, reason, structure: "zstd data",
      offset: unsafe input.position - UInt64(source.size - source.pos), file: input.name)
  }

  func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
    while true {
      // Expanded bytes may still wait for room, so this comes before reading more.
      if unsafe !isBetweenFrames || source.pos < source.size {
        let status = unsafe ZSTD_decompressStream(context, &output, &source)
        guard ZSTD_isError(status) == 0 else {
          throw error(.damaged, unsafe String(cString: ZSTD_getErrorName(status)))
        }
        isBetweenFrames = status == 0
        if unsafe output.pos > 0 { return unsafe output.pos }
        if unsafe source.pos < source.size { continue }
      }
      unsafe source.size = try input.readSome(into: buffer)
      unsafe source.pos = 0
      if unsafe source.size == 0 {
        guard isBetweenFrames else {
          throw error(.incomplete, "the input ends before the zstd data do")
        }
        return 0
      }
    }
  }

  func drain() -> UInt64 { 0 }
}
