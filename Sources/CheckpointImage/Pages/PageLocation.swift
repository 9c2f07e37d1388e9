/// Where a page's contents lie in an image.
package struct PageLocation: Hashable, Sendable {
  /// Byte offset of the region's segment.
  package var offset: UInt64
  /// Bytes of that segment: frame, body and padding.
  package var length: UInt32
  /// The page's place in the region, counted from 0.
  package var slot: UInt8

  /// Makes a location.
  package init(offset: UInt64, length: UInt32, slot: UInt8) {
    self.offset = offset
    self.length = length
    self.slot = slot
  }

  static let none = PageLocation(offset: 0, length: 0, slot: 0)

  /// Whether the slot is the next one of the same region: both then belong to one run.
  func precedes(offset: UInt64, slot: UInt8) -> Bool {
    self.offset == offset && Int(self.slot) + 1 == Int(slot)
  }
}
