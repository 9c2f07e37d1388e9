internal import CZlib
internal import CZstd
internal import CheckpointImage

/// The compressors' contexts, kept from region to region: making them anew costs more than a region.
@safe final class Compressor {
  private let zstd: OpaquePointer?
  private var zlib = unsafe z_stream()
  private var zlibLevel: Int32?

  init() { unsafe zstd = ZSTD_createCCtx() }

  deinit {
    unsafe ZSTD_freeCCtx(zstd)
    if zlibLevel != nil { unsafe deflateEnd(&zlib) }
  }

  /// Compresses into `target`; nil if the result would not fit, which means that it does not pay.
  func compress(
    _ source: RawSpan, into target: UnsafeMutableRawBufferPointer, _ settings: CodecSettings
  ) -> Int? {
    unsafe source.withUnsafeBytes { source in
      switch settings.codec {
      case .none: nil
      case .zstd: unsafe compressZstd(source, target, settings.level)
      case .zlib: unsafe compressZlib(source, target, settings.level)
      }
    }
  }

  private func compressZstd(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer, _ level: Int32
  ) -> Int? {
    let count = unsafe ZSTD_compressCCtx(
      zstd, target.baseAddress, target.count, source.baseAddress, source.count, level)
    return ZSTD_isError(count) == 0 ? count : nil
  }

  private func compressZlib(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer, _ level: Int32
  ) -> Int? {
    if zlibLevel == level {
      guard unsafe deflateReset(&zlib) == Z_OK else { return nil }
    } else {
      if zlibLevel != nil { unsafe deflateEnd(&zlib) }
      zlibLevel = nil
      let status = unsafe deflateInit2_(
        &zlib, level, Z_DEFLATED, 15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size))
      guard status == Z_OK else { return nil }
      zlibLevel = level
    }
    unsafe zlib.next_in = UnsafeMutablePointer(
      mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
    unsafe zlib.avail_in = UInt32(source.count)
    unsafe zlib.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
    unsafe zlib.avail_out = UInt32(target.count)
    guard unsafe deflate(&zlib, Z_FINISH) == Z_STREAM_END else { return nil }
    return unsafe target.count - Int(zlib.avail_out)
  }
}
