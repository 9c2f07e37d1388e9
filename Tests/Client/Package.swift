// swift-tools-version: 6.2
import PackageDescription

// A program of somebody else that uses the library: only what is public is there for it.
let package = Package(
  name: "client",
  dependencies: [.package(name: "vmckpt", path: "../..")],
  targets: [
    .executableTarget(
      name: "client", dependencies: [.product(name: "VMCheckpoint", package: "vmckpt")])
  ],
  swiftLanguageModes: [.v6]
)
