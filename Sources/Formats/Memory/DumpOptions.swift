package import CheckpointCodec
package import CheckpointImage

/// What a crash dump contains besides memory, and what is left out of it.
package struct DumpOptions: Sendable {
  /// The VMCOREINFO text of a Linux guest, for an image that has no such note, or one that does not fit.
  package var vmcoreinfo: [UInt8]?
  /// The release of the guest's kernel.
  package var release = ""
  /// The physical address of the kernel's image, less the one it was linked for.
  package var physicalBase: Int64 = 0
  /// For kdump: the build string of the guest's kernel, as `uname -v` prints it.
  package var build = ""
  /// For kdump: one past the last page that the guest's kernel describes; nil if unknown. Readers do not
  /// recognise a kernel that has more memory than it describes.
  package var describedEnd: PFN?
  /// For kdump: pages to leave out although their contents are known.
  package var leftOut = EvictionPlan()
  /// For kdump: the dump level by which these were chosen.
  package var level = 0
  /// For kdump: how pages are compressed.
  package var codec = CodecSettings(codec: .zlib)

  /// Options for a guest about which nothing is known.
  package init() {}
}
