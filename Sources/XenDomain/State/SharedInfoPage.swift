#if Xen
internal import CXen
internal import CheckpointImage
internal import Formats

/// The page that a PV guest shares with the hypervisor.
enum SharedInfoPage {
  /// SHARED_INFO; nil if the page cannot be had.
  static func record(_ state: DomainState, _ hypervisor: Hypervisor) throws(CheckpointError)
    -> MachineRecord?
  {
    let pages = try ForeignPages([xen_pfn_t(state.sharedInfo)], of: state.id, hypervisor)
    guard pages.isMapped(0) else { return nil }
    var words: [UInt64] = []
    pages.page(0).appendWords(to: &words)
    // SAFETY: words are bytes without gaps, and are copied.
    return MachineRecord(.sharedInfo, unsafe words.withUnsafeBytes { unsafe Array($0) })
  }
}
#endif
