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

func tool(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .executableTarget(
    name: name,
    dependencies: dependencies + [
      "CommandLineSupport", "GuestMemory", "Interchange", "CheckpointChain", "CheckpointCodec",
      "CheckpointImage", "Pictures",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: strict)
}

let package = Package(
  name: "vmckpt",
  products: [
    .library(
      name: "VMCheckpoint",
      targets: [
        "CheckpointImage", "CheckpointCodec", "CheckpointChain", "Inspection", "Interchange",
        "Archives", "Kdump", "GuestMemory",
      ]),
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
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(
      name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CMemmem"),
    .systemLibrary(
      name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(
      name: "CKdumpfile", pkgConfig: "libkdumpfile", providers: [.apt(["libkdumpfile-dev"])]),
    .systemLibrary(name: "CXen", pkgConfig: "xenlight", providers: [.apt(["libxen-dev"])]),

    library("CheckpointImage", ["CCrypto", "CDeflate"]),
    library("CheckpointCodec", ["CheckpointImage", "CZlib", "CZstd"]),
    library("CheckpointChain", ["CheckpointCodec", "CheckpointImage"]),
    library("ImageJSON", ["CheckpointCodec", "CheckpointImage"]),
    library(
      "Inspection", ["CheckpointChain", "CheckpointCodec", "CheckpointImage", "CMemmem"]),
    library("Interchange", ["CheckpointChain", "CheckpointCodec", "CheckpointImage"]),
    library("Pictures", ["CheckpointImage", "CZlib"]),
    library(
      "Archives",
      ["Interchange", "CheckpointCodec", "CheckpointImage", "CArchive", "CZlib", "CZstd"]),
    library("Kdump", ["Interchange", "CheckpointCodec", "CheckpointImage", "CKdumpfile"]),
    library(
      "GuestMemory",
      ["Interchange", "CheckpointChain", "CheckpointCodec", "CheckpointImage", "CMemmem"]),
    library(
      "XenDomain",
      [
        "GuestMemory", "Interchange", "CheckpointChain", "CheckpointCodec", "CheckpointImage",
        .target(name: "CXen", condition: .when(traits: ["Xen"])),
      ]),
    library(
      "CommandLineSupport",
      [
        "GuestMemory", "Interchange", "CheckpointChain", "CheckpointCodec", "CheckpointImage",
        "Pictures", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    tool("ckpt-capture", ["Archives", "Kdump", "XenDomain"]),
    tool("ckpt-merge"),
    tool("ckpt-verify", ["Archives"]),
    tool("ckpt-restore", ["XenDomain"]),
    tool("ckpt-inspect", ["ImageJSON", "Inspection"]),
    tool("ckpt-diff"),

    .target(
      name: "TestSupport", dependencies: ["CheckpointCodec", "CheckpointImage"],
      path: "Tests/TestSupport", swiftSettings: strict),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Archives", "ImageJSON", "Interchange", "CheckpointChain", "CheckpointCodec",
        "CheckpointImage", "GuestMemory", "TestSupport",
      ], path: "Tests/Fuzz/Targets", swiftSettings: strict),
    .testTarget(
      name: "CorpusTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Replay",
      swiftSettings: strict),
    tests("CheckpointImageTests", ["CheckpointImage"]),
    tests("CheckpointCodecTests", ["CheckpointCodec", "CheckpointImage"]),
    tests(
      "CheckpointChainTests",
      ["CheckpointChain", "CheckpointCodec", "CheckpointImage", "Interchange"]),
    tests("ImageJSONTests", ["ImageJSON", "CheckpointCodec", "CheckpointImage"]),
    tests(
      "InspectionTests",
      ["Inspection", "CheckpointChain", "CheckpointCodec", "CheckpointImage", "Interchange"]),
    tests("PicturesTests", ["Pictures", "CheckpointImage"]),
    tests(
      "InterchangeTests", ["Interchange", "CheckpointChain", "CheckpointCodec", "CheckpointImage"]),
    tests(
      "GuestMemoryTests",
      [
        "FuzzTargets", "GuestMemory", "Interchange", "CheckpointChain", "CheckpointCodec",
        "CheckpointImage",
      ]),
    tests(
      "XenDomainTests",
      [
        "XenDomain", "GuestMemory", "Interchange", "CheckpointChain", "CheckpointCodec",
        "CheckpointImage",
      ]),
  ],
  swiftLanguageModes: [.v6]
)

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
      name: "guard-driver", dependencies: ["XenDomain", "CheckpointImage"],
      path: "Tests/Xen/guard/Driver", swiftSettings: strict)
  )
}

// Compares what the library reads of a suspended domain with Xen's own save; see Tests/Xen.
if Context.environment["XEN_COMPARE"] != nil {
  package.targets.append(
    .executableTarget(
      name: "xen-compare",
      dependencies: ["XenDomain", "CheckpointCodec", "CheckpointImage"],
      path: "Tests/Xen/compare", exclude: ["run.sh"], swiftSettings: strict)
  )
}

// Prints what is found of a guest's kernel, for a comparison with what the guest said, and looks for it in damaged memory;
// see Tests/Scripts/test-guests.sh.
if Context.environment["GUEST_FACTS"] != nil {
  let memory: [Target.Dependency] = [
    "GuestMemory", "Interchange", "CheckpointCodec", "CheckpointImage",
  ]
  package.targets += [
    .executableTarget(
      name: "guest-facts", dependencies: memory, path: "Tests/Oracle/guest-facts",
      swiftSettings: strict),
    .executableTarget(
      name: "damaged-guest", dependencies: memory + ["TestSupport"],
      path: "Tests/Oracle/damaged-guest", swiftSettings: strict),
  ]
}
