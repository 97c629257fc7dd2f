// The table of the service: every operation of AWS's model, alphabetical, one row each.
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
import MartletWire

extension LambdaService {
  package static let rows: [OperationRow<LambdaService>] = [
    .init(Lambda.AddLayerVersionPermission.self),
    .init(Lambda.AddPermission.self),
    .init(
      missing: .rest(
        "Lambda.CheckpointDurableExecution", .post, "/2025-12-01/durable-executions/{DurableExecutionArn}/checkpoint")),
    .init(Lambda.CreateAlias.self),
    .init(missing: .rest("Lambda.CreateCapacityProvider", .post, "/2025-11-30/capacity-providers", status: 202)),
    .init(missing: .rest("Lambda.CreateCodeSigningConfig", .post, "/2020-04-22/code-signing-configs", status: 201)),
    .init(missing: .rest("Lambda.CreateEventSourceMapping", .post, "/2015-03-31/event-source-mappings", status: 202)),
    .init(Lambda.CreateFunction.self),
    .init(Lambda.CreateFunctionUrlConfig.self),
    .init(Lambda.DeleteAlias.self),
    .init(
      missing: .rest(
        "Lambda.DeleteCapacityProvider", .delete,
        "/2025-11-30/capacity-providers/{CapacityProviderName}", status: 202)),
    .init(
      missing: .rest(
        "Lambda.DeleteCodeSigningConfig", .delete,
        "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}", status: 204)),
    .init(
      missing: .rest(
        "Lambda.DeleteDurableExecution", .delete, "/2025-12-01/durable-executions/{DurableExecutionArn}", status: 202)),
    .init(
      missing: .rest(
        "Lambda.DeleteEventSourceMapping", .delete, "/2015-03-31/event-source-mappings/{UUID}", status: 202)),
    .init(Lambda.DeleteFunction.self),
    .init(
      missing: .rest(
        "Lambda.DeleteFunctionCodeSigningConfig", .delete,
        "/2020-06-30/functions/{FunctionName}/code-signing-config", status: 204)),
    .init(Lambda.DeleteFunctionConcurrency.self),
    .init(Lambda.DeleteFunctionEventInvokeConfig.self),
    .init(Lambda.DeleteFunctionUrlConfig.self),
    .init(Lambda.DeleteLayerVersion.self),
    .init(Lambda.DeleteProvisionedConcurrencyConfig.self),
    .init(Lambda.DeleteResourcePolicy.self),
    .init(Lambda.GetAccountSettings.self),
    .init(Lambda.GetAlias.self),
    .init(missing: .rest("Lambda.GetCapacityProvider", .get, "/2025-11-30/capacity-providers/{CapacityProviderName}")),
    .init(
      missing: .rest(
        "Lambda.GetCodeSigningConfig", .get, "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}")),
    .init(missing: .rest("Lambda.GetDurableExecution", .get, "/2025-12-01/durable-executions/{DurableExecutionArn}")),
    .init(
      missing: .rest(
        "Lambda.GetDurableExecutionHistory", .get, "/2025-12-01/durable-executions/{DurableExecutionArn}/history")),
    .init(
      missing: .rest(
        "Lambda.GetDurableExecutionState", .get, "/2025-12-01/durable-executions/{DurableExecutionArn}/state")),
    .init(missing: .rest("Lambda.GetEventSourceMapping", .get, "/2015-03-31/event-source-mappings/{UUID}")),
    .init(Lambda.GetFunction.self),
    .init(
      missing: .rest(
        "Lambda.GetFunctionCodeSigningConfig", .get, "/2020-06-30/functions/{FunctionName}/code-signing-config")),
    .init(Lambda.GetFunctionConcurrency.self),
    .init(Lambda.GetFunctionConfiguration.self),
    .init(Lambda.GetFunctionEventInvokeConfig.self),
    .init(Lambda.GetFunctionRecursionConfig.self),
    .init(Lambda.GetFunctionScalingConfig.self),
    .init(Lambda.GetFunctionUrlConfig.self),
    .init(Lambda.GetLayerVersion.self),
    .init(Lambda.GetLayerVersionByArn.self),
    .init(Lambda.GetLayerVersionPolicy.self),
    .init(Lambda.GetPolicy.self),
    .init(Lambda.GetProvisionedConcurrencyConfig.self),
    .init(Lambda.GetResourcePolicy.self),
    .init(Lambda.GetRuntimeManagementConfig.self),
    .init(Lambda.Invoke.self),
    .init(
      missing: .rest(
        "Lambda.InvokeAsync", .post, "/2014-11-13/functions/{FunctionName}/invoke-async", status: 202)),
    .init(
      missing: .rest(
        "Lambda.InvokeWithResponseStream", .post,
        "/2021-11-15/functions/{FunctionName}/response-streaming-invocations")),
    .init(Lambda.ListAliases.self),
    .init(missing: .rest("Lambda.ListCapacityProviders", .get, "/2025-11-30/capacity-providers")),
    .init(missing: .rest("Lambda.ListCodeSigningConfigs", .get, "/2020-04-22/code-signing-configs")),
    .init(
      missing: .rest(
        "Lambda.ListDurableExecutionsByFunction", .get, "/2025-12-01/functions/{FunctionName}/durable-executions")),
    .init(missing: .rest("Lambda.ListEventSourceMappings", .get, "/2015-03-31/event-source-mappings")),
    .init(Lambda.ListFunctionEventInvokeConfigs.self),
    .init(Lambda.ListFunctionUrlConfigs.self),
    .init(
      missing: .rest(
        "Lambda.ListFunctionVersionsByCapacityProvider", .get,
        "/2025-11-30/capacity-providers/{CapacityProviderName}/function-versions")),
    .init(Lambda.ListFunctions.self),
    .init(
      missing: .rest(
        "Lambda.ListFunctionsByCodeSigningConfig", .get,
        "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}/functions")),
    .init(Lambda.ListLayerVersions.self),
    .init(Lambda.ListLayers.self),
    .init(Lambda.ListProvisionedConcurrencyConfigs.self),
    .init(Lambda.ListTags.self),
    .init(Lambda.ListVersionsByFunction.self),
    .init(
      missing: .rest(
        "Lambda.PauseDurableExecution", .post,
        "/2025-12-01/durable-executions/{DurableExecutionArn}/pause", status: 202)),
    .init(Lambda.PublishLayerVersion.self),
    .init(Lambda.PublishVersion.self),
    .init(
      missing: .rest(
        "Lambda.PutFunctionCodeSigningConfig", .put, "/2020-06-30/functions/{FunctionName}/code-signing-config")),
    .init(Lambda.PutFunctionConcurrency.self),
    .init(Lambda.PutFunctionEventInvokeConfig.self),
    .init(Lambda.PutFunctionRecursionConfig.self),
    .init(Lambda.PutFunctionScalingConfig.self),
    .init(Lambda.PutProvisionedConcurrencyConfig.self),
    .init(Lambda.PutResourcePolicy.self),
    .init(Lambda.PutRuntimeManagementConfig.self),
    .init(Lambda.RemoveLayerVersionPermission.self),
    .init(Lambda.RemovePermission.self),
    .init(
      missing: .rest(
        "Lambda.ResumeDurableExecution", .post,
        "/2025-12-01/durable-executions/{DurableExecutionArn}/resume", status: 202)),
    .init(
      missing: .rest(
        "Lambda.SendDurableExecutionCallbackFailure", .post,
        "/2025-12-01/durable-execution-callbacks/{CallbackId}/fail")),
    .init(
      missing: .rest(
        "Lambda.SendDurableExecutionCallbackHeartbeat", .post,
        "/2025-12-01/durable-execution-callbacks/{CallbackId}/heartbeat")),
    .init(
      missing: .rest(
        "Lambda.SendDurableExecutionCallbackSuccess", .post,
        "/2025-12-01/durable-execution-callbacks/{CallbackId}/succeed")),
    .init(
      missing: .rest(
        "Lambda.StopDurableExecution", .post, "/2025-12-01/durable-executions/{DurableExecutionArn}/stop")),
    .init(Lambda.TagResource.self),
    .init(Lambda.UntagResource.self),
    .init(Lambda.UpdateAlias.self),
    .init(
      missing: .rest(
        "Lambda.UpdateCapacityProvider", .put, "/2025-11-30/capacity-providers/{CapacityProviderName}", status: 202)),
    .init(
      missing: .rest(
        "Lambda.UpdateCodeSigningConfig", .put, "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}")),
    .init(
      missing: .rest(
        "Lambda.UpdateEventSourceMapping", .put, "/2015-03-31/event-source-mappings/{UUID}", status: 202)),
    .init(Lambda.UpdateFunctionCode.self),
    .init(Lambda.UpdateFunctionConfiguration.self),
    .init(Lambda.UpdateFunctionEventInvokeConfig.self),
    .init(Lambda.UpdateFunctionUrlConfig.self),
  ]
}
