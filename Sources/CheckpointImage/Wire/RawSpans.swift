extension [UInt8] {
  /// The bytes, lent for as long as the array is.
  package var rawSpan: RawSpan {
    // SAFETY: a byte has no padding that could be read uninitialised.
    @_lifetime(borrow self) borrowing get { unsafe span.bytes }
  }
}

extension ArraySlice<UInt8> {
  /// The bytes, lent for as long as the slice is.
  package var rawSpan: RawSpan {
    // SAFETY: a byte has no padding that could be read uninitialised.
    @_lifetime(borrow self) borrowing get { unsafe span.bytes }
  }
}
