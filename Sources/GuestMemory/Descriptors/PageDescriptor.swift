/// The fields of a page descriptor that say what its page is used for (Linux: `struct page`).
struct PageDescriptor {
  var flags: UInt64
  var mapping: UInt64
  var privateData: UInt64
  /// Odd in the pages of a compound page but the first: where the descriptor of that one is.
  var compound: UInt64
  var references: UInt32
  /// How many times the page is mapped, less one; or its type, see `PageTypes`.
  var type: UInt32
  /// The same field as `compound` of the next descriptor, for the first page of a compound page; else 0.
  var nextCompound: UInt64 = 0
  /// The order of a compound page that this is the first page of; else 0.
  var order: UInt8 = 0
  /// Whether it is a page of hugetlbfs, taken or not.
  var isHugeTLB = false
}
