extension PageClass {
  /// The name in reports, such as `page tables`.
  package var name: String {
    switch self {
    case .unknown: "unknown"
    case .free: "free"
    case .perCPUList: "set aside"
    case .cacheClean: "clean cache"
    case .cacheDirty: "dirty cache"
    case .cacheMapped: "mapped cache"
    case .sharedMemory: "shared memory"
    case .privateCache: "private cache"
    case .anonymous: "anonymous"
    case .slab: "slab"
    case .pageTable: "page tables"
    case .kernelOther: "other of the kernel"
    case .reserved: "reserved"
    case .balloon: "balloon"
    case .offline: "offline"
    }
  }
}
