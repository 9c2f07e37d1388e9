internal import CZlib
internal import CZstd
internal import CheckpointImage

/// The decompressors' contexts, kept from region to region.
@safe final class Decompressor {
  private let zstd: OpaquePointer?
  private var zlib = unsafe z_stream()
  private var zlibReady = false

  init() { unsafe zstd = ZSTD_createDCtx() }

  deinit {
    unsafe ZSTD_freeDCtx(zstd)
    if zlibReady { unsafe inflateEnd(&zlib) }
  }

  /// Expands `source` so that it fills `target` exactly; nothing is written past it, whatever the
  /// source claims. Returns what is wrong, or nil.
  func expand(
    _ source: RawSpan, _ codec: CodecID, into target: UnsafeMutableRawBufferPointer
  ) -> String? {
    unsafe source.withUnsafeBytes { source in
      switch codec {
      case .none:
        guard source.count == target.count else {
          return "found \(source.count) stored bytes, expected \(target.count)"
        }
        unsafe target.copyMemory(from: source)
        return nil
      case .zstd:
        return unsafe expandZstd(source, target)
      case .zlib:
        return unsafe expandZlib(source, target)
      }
    }
  }

  private func expandZstd(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer
  ) -> String? {
    // The library may also take frames from before RFC 8878.
    guard source.count >= 4,
      unsafe Self.isFrame(source.loadUnaligned(as: UInt32.self).littleEndian)
    else { return "zstd: not a frame" }
    let count = unsafe ZSTD_decompressDCtx(
      zstd, target.baseAddress, target.count, source.baseAddress, source.count)
    if ZSTD_isError(count) != 0 {
      return unsafe "zstd: \(String(cString: ZSTD_getErrorName(count)))"
    }
    return count == target.count ? nil : "expands to \(count) bytes, expected \(target.count)"
  }

  private static func isFrame(_ magic: UInt32) -> Bool {
    magic == 0xFD2F_B528 || magic & 0xFFFF_FFF0 == 0x184D_2A50
  }

  private func expandZlib(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer
  ) -> String? {
    if zlibReady {
      unsafe inflateReset(&zlib)
    } else {
      let status = unsafe inflateInit2_(
        &zlib, 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      guard status == Z_OK else { return "zlib has no memory" }
      zlibReady = true
    }
    unsafe zlib.next_in = UnsafeMutablePointer(
      mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
    unsafe zlib.avail_in = UInt32(source.count)
    unsafe zlib.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
    unsafe zlib.avail_out = UInt32(target.count)
    let status = unsafe inflate(&zlib, Z_FINISH)
    guard status == Z_STREAM_END else { return "zlib: not a complete stream of the right size" }
    let filled = unsafe target.count - Int(zlib.avail_out)
    guard filled == target.count else {
      return "expands to \(filled) bytes, expected \(target.count)"
    }
    return unsafe zlib.avail_in == 0 ? nil : "\(zlib.avail_in) bytes behind the compressed pages"
  }
}
