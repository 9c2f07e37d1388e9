#if Xen
internal import CXen
internal import CheckpointImage
internal import Formats

/// Where the structures of a PV guest have the fields that matter here, by the width of its words. The
/// numbers are those of Xen's public headers.
struct PVLayout {
  /// Bytes of a word: 8 or 4.
  let width: Int
  /// Levels of page tables: 4 or 3.
  var levels: Int { width == 8 ? 4 : 3 }
  /// Entries in a page of the P2M table.
  var entriesPerPage: Int { Limits.pageSize / width }

  // shared_info
  var maximumPFN: Int { width == 8 ? 3088 : 2316 }
  var frameListList: Int { width == 8 ? 3096 : 2320 }
  var tableCR3: Int { width == 8 ? 3112 : 2328 }
  var tableAddress: Int { width == 8 ? 3120 : 2332 }

  // start_info
  var storePage: Int { width == 8 ? 56 : 44 }
  var consolePage: Int { width == 8 ? 72 : 52 }

  // vcpu_guest_context
  var vcpuSize: Int { width == 8 ? 5168 : 2800 }
  var edx: Int { width == 8 ? 616 : 524 }
  var gdtFrames: Int { width == 8 ? 4832 : 2640 }
  var gdtEntries: Int { width == 8 ? 4960 : 2704 }
  var controlRegisters: Int { width == 8 ? 4984 : 2716 }

  /// A domain's layout.
  init(_ domain: UInt32, _ hypervisor: Hypervisor) throws(CheckpointError) {
    var width: UInt32 = 0
    guard unsafe xc_domain_get_guest_width(hypervisor.control, domain, &width) == 0 else {
      throw hypervisor.failure("find out whether the guest has 32 or 64 bits", domain)
    }
    guard width == 8 || width == 4 else {
      throw CheckpointError(
        .unsupported, "the guest has words of \(width) bytes, expected 8 or 4",
        file: "domain \(domain)")
    }
    self.init(width: Int(width))
  }

  init(width: Int) { self.width = width }

  /// X86_PV_INFO.
  var record: MachineRecord {
    MachineRecord(.pvInfo, [UInt8(width), UInt8(levels), 0, 0, 0, 0, 0, 0])
  }

  /// A word in a structure; -1 of 32 bits is -1 of 64, as "no frame" is written so.
  func word(_ bytes: RawSpan, at offset: Int) -> UInt64 {
    // SAFETY: the span checks the bounds.
    if width == 8 {
      return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
    let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    return word == .max ? .max : UInt64(word)
  }

  /// Replaces a word.
  func set(_ value: UInt64, in bytes: inout [UInt8], at offset: Int) {
    for byte in 0..<width { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
  }

  /// The machine frame (or PFN) in a CR3. With 32 bits the upper bits of the frame are folded into the lower
  /// bits of the register.
  func frame(cr3: UInt64) -> UInt64 {
    width == 8 ? cr3 >> 12 : UInt64(UInt32(truncatingIfNeeded: cr3 >> 12 | cr3 << 20))
  }

  /// The CR3 for a frame.
  func cr3(frame: UInt64) -> UInt64 {
    width == 8 ? frame << 12 : UInt64(UInt32(truncatingIfNeeded: frame << 12 | frame >> 20))
  }
}
#endif
