// swift-tools-version: 6.2
// Eleven boxes; arrows point down and nothing goes sideways (docs/architecture.md, checked by TidyTests).
import PackageDescription

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  // Debug builds, which the tests run, check at run time that nobody changes what somebody else is changing. That would be
  // a twentieth of a warm invocation.
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
  name: "martlet",
  products: [
    .executable(name: "martlet", targets: ["martlet"]),
    .executable(name: "martlet-sandbox", targets: ["martlet-sandbox"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
  ],
  targets: [
    // The executables.
    .executableTarget(
      name: "martlet",
      dependencies: [
        "MartletServer", "MartletLambda", "MartletSandbox", "MartletWire", "MartletCore", nioCore, nioHTTP1, logging,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "martlet-sandbox",
      dependencies: ["CMartlet"],
      linkerSettings: [.linkedLibrary("seccomp")]),

    // The boxes, from top to bottom.
    .target(
      name: "MartletServer",
      dependencies: [
        "MartletLambda", "MartletCloud", "MartletSandbox", "MartletStore", "MartletTLS", "MartletWire", "MartletCore",
        "MartletRuntimes", nioCore, nioPosix, nioHTTP1, logging,
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      resources: [.embedInCode("Cost/prices.json")],
      swiftSettings: strict),
    .target(
      name: "MartletLambda",
      dependencies: [
        "MartletWire", "MartletStore", "MartletSandbox", "MartletCore", "MartletRuntimes", nioCore, nioPosix, nioHTTP1,
        logging,
      ],
      swiftSettings: strict),
    .target(
      name: "MartletCloud",
      dependencies: ["MartletWire", "MartletStore", "MartletCore", nioCore, nioPosix, nioHTTP1, logging],
      swiftSettings: strict),
    .target(
      name: "MartletWire",
      dependencies: ["MartletCore", "CCrypto", nioCore, nioPosix, nioHTTP1, logging],
      swiftSettings: strict),
    .target(
      name: "MartletTLS",
      dependencies: [
        "MartletWire", "MartletCore", nioCore, .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      swiftSettings: strict),
    .target(
      name: "MartletStore",
      dependencies: ["MartletCore", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: strict),
    .target(
      name: "MartletSandbox",
      dependencies: ["MartletCore", "CMartlet", "CArchive", logging],
      swiftSettings: strict),
    .target(name: "MartletCore", dependencies: [logging], swiftSettings: strict),
    .target(
      name: "MartletRuntimes",
      path: "Runtimes",
      exclude: ["java/source", "java/build.py"],
      sources: ["MartletRuntimes.swift"],
      resources: [
        .embedInCode("python/bootstrap.py"), .embedInCode("python/debug.py"), .embedInCode("python/debug_relay.py"),
        .embedInCode("python/compile.py"), .embedInCode("python/zygote.py"), .embedInCode("python/sdk.py"),
        .embedInCode("python/imports.py"), .embedInCode("python/snapshot.py"),
        .embedInCode("nodejs/bootstrap.mjs"), .embedInCode("nodejs/compile.mjs"),
        .embedInCode("nodejs/compiled.mjs"), .embedInCode("nodejs/debug.mjs"),
        .embedInCode("nodejs/debug_relay.mjs"), .embedInCode("nodejs/runtime_api.mjs"),
        .embedInCode("nodejs/stem.mjs"),
        .embedInCode("java/bootstrap.jar"), .embedInCode("ruby/bootstrap.rb"),
      ],
      swiftSettings: strict),

    // C.
    .target(name: "CMartlet"),
    .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

    // Tests, by price.
    .testTarget(
      name: "UnitTests",
      dependencies: [
        "MartletLambda", "MartletCloud", "MartletServer", "MartletSandbox", "MartletStore", "MartletWire",
        "MartletCore", "CMartlet", nioCore, nioEmbedded, nioHTTP1, nioPosix, logging,
      ],
      exclude: ["golden"],
      swiftSettings: strict),
    .testTarget(
      name: "ConformanceTests",
      dependencies: [
        "MartletServer", "MartletLambda", "MartletCloud", "MartletSandbox", "MartletStore", "MartletWire",
        "MartletCore", "MartletRuntimes",
        nioCore, nioHTTP1, nioPosix, logging,
      ],
      exclude: [
        "cloudtrail-model.json", "cloudwatch-model.json", "sensitive-members.json",
        "lambda-model.json", "iam-model.json", "sts-model.json", "events-model.json", "scheduler-model.json",
        "logs-model.json", "kinesis-model.json", "s3-model.json", "sns-model.json", "sqs-model.json", "xray-model.json",
        "extract_model.py",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "SimulationTests",
      dependencies: [
        "MartletLambda", "MartletCloud", "MartletStore", "MartletWire", "MartletCore", nioCore, logging,
      ],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
