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

  /// Fills slots of `buffer` with whole pages, as many as are left. Returns how many, and how many bytes came of the page
  /// behind them, if that is the last one and not whole.
  ///
  /// - Parameter wanted: if false, the pages are passed over where that is possible.
  package func readPages(_ slots: Range<Int>, of buffer: PageBuffer, wanted: Bool = true)
    throws(CheckpointError) -> (pages: Int, rest: Int)
  {
    if !wanted, let left = bytesToSkip {
      let count = min(slots.count, Int(clamping: left / UInt64(Limits.pageSize)))
      if count > 0 {
        try seek(to: position + UInt64(count * Limits.pageSize))
        return (count, 0)
      }
    }
    let count = unsafe try readAvailable(buffer.mutableBytes(slots))
    let (pages, rest) = count.quotientAndRemainder(dividingBy: Limits.pageSize)
    return (pages, rest)
  }

}
