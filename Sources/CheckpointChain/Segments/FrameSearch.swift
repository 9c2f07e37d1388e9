internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Looks for sound frames behind damage, at multiples of the alignment.
enum FrameSearch {
  private static let longestWindow: UInt64 = 1 << 20

  /// The next place after `offset` where a sound frame lies; nil if there is none.
  static func next(
    in file: any RangeReader, after offset: UInt64, alignmentShift: UInt8,
    _ cancellation: Cancellation
  ) -> UInt64? {
    let step = 1 << Int(alignmentShift)
    var start = offset + UInt64(step)
    // It grows: much may be gone, but a guest may as well hold one frame behind another.
    var window = max(UInt64(step), 1 << 12)
    while start < file.length, !cancellation.isRequested {
      // Holes have no frames; a file may have very long ones.
      if let data = try? file.nextData(from: start), data - data % UInt64(step) > start {
        start = data - data % UInt64(step)
        continue
      }
      let count = Int(min(window, file.length - start))
      window = min(2 * window, longestWindow)
      // What a failing disk does not give has no frames either.
      guard let bytes = try? file.bytes(at: start, count: count) else {
        start += UInt64(count)
        continue
      }
      let words = bytes.rawSpan
      for place in stride(from: 0, to: count - 3, by: step)
      where unsafe words.unsafeLoadUnaligned(fromByteOffset: place, as: UInt32.self).littleEndian
        == SegmentFrame.magic
      {
        let candidate = start + UInt64(place)
        let found = try? SegmentPlace(
          in: file, at: candidate, alignmentShift: alignmentShift)
        if found != nil { return candidate }
      }
      start += UInt64(count)
    }
    return nil
  }
}
