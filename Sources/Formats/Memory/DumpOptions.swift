package import CheckpointCodec
package import CheckpointImage

/// What a crash dump has besides memory, and what it is to have of that.
package struct DumpOptions: Sendable {
  /// What a Linux guest says of itself, for an image that has no note of it.
  package var vmcoreinfo: [UInt8]?
  /// The release of the guest's kernel.
  package var release = ""
  /// The physical address of the kernel's image, less the one it was linked for.
  package var physicalBase: Int64 = 0
  /// For kdump: what the guest's kernel says of its build, as `uname -v` shows it.
  package var build = ""
  /// For kdump: one past the last page that the guest's kernel describes; nil if that is not known. Readers take a
  /// kernel that has more memory than it describes for one they do not know.
  package var describedEnd: PFN?
  /// For kdump: pages to be left out, though their contents are known.
  package var leftOut = EvictionPlan()
  /// For kdump: by which of makedumpfile's levels these were chosen.
  package var level = 0
  /// For kdump: how pages are compressed.
  package var codec = CodecSettings(codec: .zlib)

  /// Nothing is known of the guest, and nothing is left out.
  package init() {}
}
