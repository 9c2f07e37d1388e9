package import CheckpointImage
package import Storage

extension LocalFile {
  /// Fills pages of `buffer` with the bytes at `offset`; a file that ends before is incomplete.
  package func read(pages: Range<Int>, of buffer: PageBuffer, at offset: UInt64)
    throws(CheckpointError)
  {
    unsafe try read(into: buffer.mutableBytes(pages), at: offset)
  }
}

extension InputStream {
  /// Fills pages of `buffer` from the input.
  package func read(pages: Range<Int>, of buffer: PageBuffer, _ structure: String)
    throws(CheckpointError)
  {
    unsafe try read(into: buffer.mutableBytes(pages), structure)
  }

  /// Fills slots of `buffer` with whole pages, as many as are left; a partial last page is an error.
  ///
  /// - Parameter wanted: if false, the pages are passed over where that is possible.
  package func readPages(_ slots: Range<Int>, of buffer: PageBuffer, wanted: Bool = true)
    throws(CheckpointError) -> Int
  {
    if !wanted, let left = bytesToSkip {
      let count = min(slots.count, Int(clamping: left / UInt64(Limits.pageSize)))
      if count > 0 {
        try seek(to: position + UInt64(count * Limits.pageSize))
        return count
      }
    }
    let start = position
    let count = unsafe try readAvailable(buffer.mutableBytes(slots))
    let (pages, rest) = count.quotientAndRemainder(dividingBy: Limits.pageSize)
    guard rest == 0 else {
      // Of a pipe, what came until then may be all there is.
      throw CheckpointError(
        length == nil ? .incomplete : .refused,
        "the last page has only \(rest) bytes: it broke off, or is no plain memory",
        offset: start + UInt64(count - rest), file: name)
    }
    return pages
  }

}
