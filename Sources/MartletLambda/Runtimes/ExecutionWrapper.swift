// A script of the function's that starts the runtime in its own way: AWS_LAMBDA_EXEC_WRAPPER.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
import MartletCore

enum ExecutionWrapper {
  static let variable = "AWS_LAMBDA_EXEC_WRAPPER"

  /// The command that starts the wrapper, which gets the runtime's command line as its arguments; `command` itself if
  /// there is none. OS-only runtimes ignore the variable, as their own `bootstrap` is what the owner wants to run.
  static func wrap(
    _ command: [String], _ configuration: FunctionConfiguration, family: RuntimeFamily, paths: RuntimeProgram.Paths
  ) -> [String] {
    guard family != .provided, let environment = configuration.environment,
      let wrapper = environment.last(where: { $0.name == variable })?.value, !wrapper.isEmpty
    else { return command }
    return ["/bin/sh", "-c", script, place(wrapper, paths)] + command
  }

  /// Where the wrapper lies: without a root of its own an environment has its files elsewhere on the host.
  private static func place(_ wrapper: String, _ paths: RuntimeProgram.Paths) -> String {
    let usual = RuntimeProgram.Paths(api: "")
    for (named, real) in [(usual.layers, paths.layers), (usual.task, paths.task)]
    where wrapper.hasPrefix(named + "/") {
      return real + wrapper.dropFirst(named.count)
    }
    return wrapper
  }

  /// What AWS's runtimes do and say. `$0` is the wrapper.
  private static let script = """
    if [ ! -f "$0" ]; then echo "$0: does not exist"; exit 127; fi
    if [ ! -x "$0" ]; then echo "$0: is not an executable"; exit 126; fi
    exec "$0" "$@"
    """
}
