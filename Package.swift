// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .strictMemorySafety(),
  .enableExperimentalFeature("Lifetimes"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A target of ours: every one is built with the same strict settings.
func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func systemLibrary(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
  .systemLibrary(
    name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig, providers: [.apt([package])])
}

func tool(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .executableTarget(
    name: name,
    dependencies: dependencies + [
      "CommandLineSupport", "Operations", "GuestMemory", "Formats", "CheckpointChain",
      "CheckpointCodec", "Storage", "CheckpointImage", "Pictures",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: strict)
}

/// The libraries that need neither Xen nor a terminal.
let everything: [Target.Dependency] = [
  "Archives", "KdumpLibrary", "ImageJSON", "Inspection", "Operations", "GuestMemory", "Formats",
  "CheckpointChain", "CheckpointCodec", "Storage", "CheckpointImage",
]

let package = Package(
  name: "vmckpt",
  products: [
    // Needs zlib, zstd, libdeflate and libcrypto.
    .library(name: "VMCheckpoint", targets: ["VMCheckpoint"]),
    // Besides, libarchive and libkdumpfile: compressed sources, archives, kdump-compressed dumps.
    .library(name: "VMCheckpointFormats", targets: ["VMCheckpointFormats"]),
    // Besides, Xen's libraries: running domains.
    .library(name: "VMCheckpointXen", targets: ["VMCheckpointXen"]),
    .executable(name: "ckpt-capture", targets: ["ckpt-capture"]),
    .executable(name: "ckpt-merge", targets: ["ckpt-merge"]),
    .executable(name: "ckpt-verify", targets: ["ckpt-verify"]),
    .executable(name: "ckpt-restore", targets: ["ckpt-restore"]),
    .executable(name: "ckpt-inspect", targets: ["ckpt-inspect"]),
    .executable(name: "ckpt-diff", targets: ["ckpt-diff"]),
  ],
  traits: [
    .default(enabledTraits: ["Xen"]),
    .trait(
      name: "Xen",
      description: "Capture from running Xen domains and restore to them (needs libxen-dev)."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    systemLibrary("CZlib", "zlib", "zlib1g-dev"),
    systemLibrary("CZstd", "libzstd", "libzstd-dev"),
    systemLibrary("CDeflate", "libdeflate", "libdeflate-dev"),
    systemLibrary("CCrypto", "libcrypto", "libssl-dev"),
    systemLibrary("CArchive", "libarchive", "libarchive-dev"),
    systemLibrary("CKdumpfile", "libkdumpfile", "libkdumpfile-dev"),
    systemLibrary("CXen", "xenlight", "libxen-dev"),
    .systemLibrary(name: "CMemmem", path: "Sources/System/CMemmem"),

    library("CheckpointImage", ["CCrypto", "CDeflate"]),
    library("Storage", ["CheckpointImage"]),
    library("CheckpointCodec", ["Storage", "CheckpointImage", "CZlib", "CZstd"]),
    library("CheckpointChain", ["CheckpointCodec", "Storage", "CheckpointImage"]),
    library("Formats", ["CheckpointChain", "CheckpointCodec", "Storage", "CheckpointImage"]),
    library("GuestMemory", ["CheckpointCodec", "Storage", "CheckpointImage", "CMemmem"]),
    library(
      "Operations",
      [
        "GuestMemory", "Formats", "CheckpointChain", "CheckpointCodec", "Storage",
        "CheckpointImage",
      ]),
    library(
      "Inspection",
      [
        "Operations", "GuestMemory", "CheckpointChain", "CheckpointCodec", "Storage",
        "CheckpointImage", "CMemmem",
      ]),
    library("ImageJSON", ["CheckpointCodec", "Storage", "CheckpointImage"]),
    library("Pictures", ["CheckpointImage", "CZlib"]),
    library(
      "Archives",
      ["Formats", "CheckpointCodec", "Storage", "CheckpointImage", "CArchive", "CZlib", "CZstd"]),
    library(
      "KdumpLibrary", ["Formats", "CheckpointCodec", "Storage", "CheckpointImage", "CKdumpfile"]),
    library(
      "XenDomain",
      [
        "Operations", "GuestMemory", "Formats", "CheckpointChain", "CheckpointCodec", "Storage",
        "CheckpointImage", .target(name: "CXen", condition: .when(traits: ["Xen"])),
      ]),
    library(
      "CommandLineSupport",
      [
        "Operations", "GuestMemory", "Formats", "CheckpointChain", "CheckpointCodec", "Storage",
        "CheckpointImage", "Pictures",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    library(
      "VMCheckpoint",
      [
        "Operations", "GuestMemory", "Formats", "CheckpointChain", "CheckpointCodec", "Storage",
        "CheckpointImage",
      ]),
    library(
      "VMCheckpointFormats",
      ["VMCheckpoint", "Archives", "KdumpLibrary", "Formats", "Storage", "CheckpointImage"]),
    library(
      "VMCheckpointXen", ["VMCheckpoint", "XenDomain", "Formats", "Storage", "CheckpointImage"]),

    tool("ckpt-capture", ["Archives", "KdumpLibrary", "XenDomain"]),
    tool("ckpt-merge"),
    tool("ckpt-verify", ["Archives"]),
    tool("ckpt-restore", ["XenDomain"]),
    tool("ckpt-inspect", ["ImageJSON", "Inspection"]),
    tool("ckpt-diff", ["Inspection"]),

    .target(
      name: "TestSupport", dependencies: ["CheckpointCodec", "Storage", "CheckpointImage"],
      path: "Tests/TestSupport", swiftSettings: strict),
    .target(
      name: "FuzzTargets", dependencies: everything + ["TestSupport"], path: "Tests/Fuzz/Targets",
      swiftSettings: strict),
    .testTarget(
      name: "CorpusTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Replay",
      swiftSettings: strict),
    tests("CheckpointImageTests", ["CheckpointImage"]),
    tests("CheckpointCodecTests", ["CheckpointCodec", "Storage", "CheckpointImage"]),
    tests("CheckpointChainTests", everything),
    tests("ImageJSONTests", everything),
    tests("InspectionTests", everything),
    tests("PicturesTests", ["Pictures", "CheckpointImage"]),
    tests("FormatsTests", everything),
    tests("GuestMemoryTests", everything + ["FuzzTargets"]),
    tests("ArchivesTests", everything),
    tests("KdumpLibraryTests", everything),
    tests(
      "CommandLineSupportTests",
      everything + [
        "CommandLineSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    tests("XenDomainTests", everything + ["XenDomain"]),
  ],
  swiftLanguageModes: [.v6]
)

// Only "make docs" needs the plugin that builds the library's documentation.
if Context.environment["DOCS"] != nil {
  package.dependencies.append(
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}

// Fuzzing needs a build of its own; see "make fuzz".
if Context.environment["FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver", swiftSettings: strict)
  )
}

// What the test of the guard drives it with, in a real Xen; see Tests/Xen/guard.
if Context.environment["GUARD_DRIVER"] != nil {
  package.targets.append(
    .executableTarget(
      name: "guard-driver", dependencies: ["XenDomain", "Storage", "CheckpointImage"],
      path: "Tests/Xen/guard/Driver", swiftSettings: strict)
  )
}

// Compares what the library reads of a suspended domain with Xen's own save; see Tests/Xen.
if Context.environment["XEN_COMPARE"] != nil {
  package.targets.append(
    .executableTarget(
      name: "xen-compare", dependencies: everything + ["XenDomain"], path: "Tests/Xen/compare",
      exclude: ["run.sh"], swiftSettings: strict)
  )
}

// Prints what is found of a guest's kernel, for a comparison with what the guest said, and looks for it in damaged memory;
// see Tests/Scripts/test-guests.sh.
if Context.environment["GUEST_FACTS"] != nil {
  package.targets += [
    .executableTarget(
      name: "guest-facts", dependencies: everything, path: "Tests/Oracle/guest-facts",
      swiftSettings: strict),
    .executableTarget(
      name: "damaged-guest", dependencies: everything + ["TestSupport"],
      path: "Tests/Oracle/damaged-guest", swiftSettings: strict),
  ]
}
