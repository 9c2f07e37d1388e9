internal import CZlib
internal import CZstd
internal import CheckpointImage

/// The compressors' contexts, kept from region to region: making them anew costs more than a region.
@safe final class Compressor {
  private let zstd: OpaquePointer?
  private var zlib = unsafe z_stream()
  private var zlibLevel: Int32?
  /// Where results arrive; their size is not known beforehand.
  private let room: UnsafeMutableRawBufferPointer

  init() {
    unsafe zstd = ZSTD_createCCtx()
    unsafe room = .allocate(
      byteCount: Limits.maximumRegionPages * Limits.pageSize, alignment: Limits.pageSize)
  }

  deinit {
    unsafe room.deallocate()
    unsafe ZSTD_freeCCtx(zstd)
    if zlibLevel != nil { unsafe deflateEnd(&zlib) }
  }

  /// Compresses the pages of a region. Returns `head` and the result; nil if the result is not smaller than the pages.
  func compress(_ source: RawSpan, behind head: [UInt8], _ settings: CodecSettings) -> [UInt8]? {
    // One byte less than the pages: equal size does not pay.
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<(source.byteCount - 1)])
    let count: Int? = unsafe source.withUnsafeBytes { source in
      switch settings.codec {
      case .none: nil
      case .zstd: unsafe compressZstd(source, target, settings.level)
      case .zlib: unsafe compressZlib(source, target, settings.level)
      }
    }
    guard let count else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(head.count + count)
    bytes += head
    unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: target[..<count]))
    return bytes
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
