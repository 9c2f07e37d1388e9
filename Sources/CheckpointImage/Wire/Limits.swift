/// The fixed sizes and upper limits of the format (Spec, "Limits").
package enum Limits {
  /// Bytes of a page; the only page size of version 0.9.
  package static let pageSize = 4096
  /// Base-2 logarithm of the page size.
  package static let pageShift: UInt8 = 12
  /// PFNs are below this value.
  package static let pfnEnd: UInt64 = 1 << 52
  /// Pages of guest memory under one index block: 2 MiB of guest.
  package static let blockPages = 512
  /// The largest body of a segment in bytes.
  package static let maximumBody = 1 << 28
  /// The largest body of a states, layout or provenance segment: lists, which take more room in memory.
  package static let maximumList = 1 << 24
  /// The largest number of pages in one region: 1 MiB.
  package static let maximumRegionPages = 256
  /// The largest payload of one machine record: Xen's own limit for a record.
  package static let maximumRecord = 128 << 20
  /// The largest number of machine records in one image.
  package static let maximumRecords = 1 << 16
  /// The longest parent name, provenance key or feature name in bytes.
  package static let maximumName = 1024
  /// The longest provenance value in bytes.
  package static let maximumText = 1 << 20
  /// The most PFNs in one PAGE_DATA record; Xen writes 1024.
  package static let maximumBatch = 1 << 14
  /// The most PFNs that the layout of a moment may name, given the number of its blocks with a populated
  /// page: gaps are spelled out in streams, but not without end.
  package static func layoutPFNs(blocks: Int) -> UInt64 { (1 << 24) + 8192 * UInt64(blocks) }
  /// The greatest number of images in a chain.
  package static let maximumChain = 65_535
  /// Segment alignments allowed, as base-2 logarithms.
  package static let alignmentShifts: ClosedRange<UInt8> = 3...16
}

/// A page frame number as the guest sees it; below 2^52.
package typealias PFN = UInt64
