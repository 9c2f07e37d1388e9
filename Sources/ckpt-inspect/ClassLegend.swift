import GuestMemory
import Pictures

extension Legend {
  /// The legend for classes of pages: unused pages are grey, contents of files blue, memory of processes
  /// orange, that of the kernel green and brown.
  static let classes = Legend(
    order.map { PageKind(name: $0.name, letter: letter($0), color: color($0)) })

  /// The index of a class among the kinds of the legend for classes.
  static func index(of kind: PageClass) -> Int { 1 + (order.firstIndex(of: kind) ?? 0) }

  /// The most important last.
  private static let order: [PageClass] = [
    .unknown, .free, .perCPUList, .balloon, .reserved, .kernelOther, .slab, .pageTable,
    .cacheClean, .cacheMapped, .privateCache, .cacheDirty, .sharedMemory, .anonymous, .offline,
  ]

  private static func letter(_ kind: PageClass) -> Character {
    switch kind {
    case .unknown: "u"
    case .free: "-"
    case .perCPUList: "i"
    case .balloon: "b"
    case .reserved: "r"
    case .kernelOther: "k"
    case .slab: "s"
    case .pageTable: "t"
    case .cacheClean: "c"
    case .cacheMapped: "m"
    case .privateCache: "p"
    case .cacheDirty: "d"
    case .sharedMemory: "h"
    case .anonymous: "a"
    case .offline: "x"
    }
  }

  private static func color(_ kind: PageClass) -> Color {
    switch kind {
    case .unknown: Color(0x8c8c8c)
    case .free: Color(0xd9dde1)
    case .perCPUList: Color(0xb4bac0)
    case .balloon: Color(0xf0e442)
    case .reserved: Color(0x8c6d31)
    case .kernelOther: Color(0x009e73)
    case .slab: Color(0x66c2a4)
    case .pageTable: Color(0x00573f)
    case .cacheClean: Color(0x56b4e9)
    case .cacheMapped: Color(0x0072b2)
    case .privateCache: Color(0x9ecae1)
    case .cacheDirty: Color(0x08306b)
    case .sharedMemory: Color(0xd879b8)
    case .anonymous: Color(0xe69f00)
    case .offline: Color(0xa50026)
    }
  }
}
