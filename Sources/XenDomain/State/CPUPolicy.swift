#if Xen
internal import CXen
internal import CheckpointImage
internal import Formats

/// What processor the guest was promised: its CPUID leaves and MSRs.
enum CPUPolicy {
  /// X86_CPUID_POLICY and X86_MSR_POLICY; one without contents is left out.
  static func records(
    _ domain: UInt32, _ hypervisor: Hypervisor
  ) throws(CheckpointError) -> [MachineRecord] {
    var leafCount: UInt32 = 0
    var msrCount: UInt32 = 0
    guard unsafe xc_cpu_policy_get_size(hypervisor.control, &leafCount, &msrCount) == 0 else {
      throw hypervisor.failure("read the size of the CPU policy", domain)
    }
    var leaves = [xen_cpuid_leaf_t](repeating: xen_cpuid_leaf_t(), count: Int(leafCount))
    var msrs = [xen_msr_entry_t](repeating: xen_msr_entry_t(), count: Int(msrCount))
    guard
      unsafe vmckpt_cpu_policy(
        hypervisor.control, domain, &leaves, &leafCount, &msrs, &msrCount) == 0
    else { throw hypervisor.failure("read the CPU policy", domain) }
    let found: [(XenStream.LibxcType, [UInt8])] = [
      (.cpuidPolicy, leaves.prefix(Int(leafCount)).memory),
      (.msrPolicy, msrs.prefix(Int(msrCount)).memory),
    ]
    return found.filter { !$0.1.isEmpty }.map { MachineRecord($0.0, $0.1) }
  }
}

extension ArraySlice where Element: BitwiseCopyable {
  /// The elements as they are in memory. SAFETY: leaves and MSRs of the policy are structures without gaps.
  fileprivate var memory: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
#endif
