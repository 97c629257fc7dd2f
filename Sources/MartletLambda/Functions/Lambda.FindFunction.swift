// Another service of this server asks whether a function, version or alias is there.
import MartletCore
import MartletWire

extension Lambda.FindFunction: Operation {
  /// - Throws: ResourceNotFoundException.
  package static func answer(
    _ input: Input, _ call: Call, _ lambda: LambdaService
  ) async throws(AWSError) -> Output {
    guard let name = FunctionNameParts(input.function) else { throw .resourceNotFound() }
    let reference = try lambda.reference(name, qualifier: nil, call)
    _ = try lambda.line.find(reference, in: lambda.functions)
    return Output()
  }
}
