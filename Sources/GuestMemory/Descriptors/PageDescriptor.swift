/// The fields of a page descriptor that determine what its page is used for (Linux: `struct page`).
struct PageDescriptor {
  var flags: UInt64
  var mapping: UInt64
  var privateData: UInt64
  /// Odd in the tails of a compound page: where the first page's descriptor is.
  var compound: UInt64
  var references: UInt32
  /// The number of mappings less one, or a type; see `PageTypes`.
  var type: UInt32
  /// For the first page of a compound page, the field `compound` of the next descriptor; else 0.
  var nextCompound: UInt64 = 0
  /// For the first page of a compound page, its order; else 0.
  var order: UInt8 = 0
  /// Whether it is a page of hugetlbfs, in use or not.
  var isHugeTLB = false
}
