using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace Quickstart.Data;

/// <summary>The data, the two networks and their training settings.</summary>
internal sealed record Workload
{
    public required string Title { get; init; }

    public required IDataView Train { get; init; }

    public required IDataView Test { get; init; }

    /// <summary>The steps of the pipeline before the trainer; they write the label as a key to the column <c>Class</c>.</summary>
    public required IEstimator<ITransformer> Preparation { get; init; }

    /// <summary>The column that the networks read.</summary>
    public required string FeatureColumnName { get; init; }

    public required NetworkSpec Teacher { get; init; }

    public required NetworkSpec Student { get; init; }

    public required Optimizer Optimizer { get; init; }

    public required int Epochs { get; init; }

    public required int BatchSize { get; init; }

    /// <summary>Measures a saved model on the test rows. It is here because only the workload knows the type of its rows.</summary>
    public required Func<string, ModelCost> CostOf { get; init; }
}
