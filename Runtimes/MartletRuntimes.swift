// The bootstraps of the managed runtimes, carried in the program: one file to install, nothing to find.

package enum MartletRuntimes {
  package struct File: Sendable {
    /// The runtime family, which is also the directory's name.
    package let family: String
    package let name: String
    package let content: [UInt8]
  }

  package static let files = [
    File(family: "python", name: "bootstrap.py", content: PackageResources.bootstrap_py),
    File(family: "python", name: "compile.py", content: PackageResources.compile_py),
    File(family: "python", name: "debug.py", content: PackageResources.debug_py),
    File(family: "python", name: "debug_relay.py", content: PackageResources.debug_relay_py),
    File(family: "python", name: "sdk.py", content: PackageResources.sdk_py),
    File(family: "python", name: "imports.py", content: PackageResources.imports_py),
    File(family: "python", name: "snapshot.py", content: PackageResources.snapshot_py),
    File(family: "python", name: "zygote.py", content: PackageResources.zygote_py),
    File(family: "nodejs", name: "bootstrap.mjs", content: PackageResources.bootstrap_mjs),
    File(family: "nodejs", name: "compile.mjs", content: PackageResources.compile_mjs),
    File(family: "nodejs", name: "compiled.mjs", content: PackageResources.compiled_mjs),
    File(family: "nodejs", name: "runtime_api.mjs", content: PackageResources.runtime_api_mjs),
    File(family: "nodejs", name: "stem.mjs", content: PackageResources.stem_mjs),
    File(family: "nodejs", name: "debug.mjs", content: PackageResources.debug_mjs),
    File(family: "nodejs", name: "debug_relay.mjs", content: PackageResources.debug_relay_mjs),
    File(family: "java", name: "bootstrap.jar", content: PackageResources.bootstrap_jar),
    File(family: "ruby", name: "bootstrap.rb", content: PackageResources.bootstrap_rb),
  ]
}
