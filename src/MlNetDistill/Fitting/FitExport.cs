using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Evaluation;
using MlNetDistill.Export;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using TorchSharp;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Exports the networks of a fit as ML.NET models, and compares each network with its model, before training and after it.</summary>
internal sealed class FitExport(
    MLContext context,
    IChannel channel,
    FitNetworks networks,
    IRowSource set,
    TrainerColumns columns,
    TaskExport task,
    DataViewSchema inputSchema,
    Seeds seeds,
    DistillationOptions options)
{
    private const int TimedRows = 128;
    private (StudentChain Chain, NetworkInput Input)? _untrained;

    /// <summary>The time of the student for a row of a batch, in ML.NET on the CPU, measured with the untrained student that was checked.</summary>
    public TimeSpan MeasureStudent()
    {
        var (chain, input) = _untrained ?? throw new InvalidOperationException("The student is checked before it is measured.");
        using var scope = NewDisposeScope();
        var positions = SpreadPositions.Create(set.Count, TimedRows, set.Device);
        return ScoringTime.Measure(chain.Scoring.Transform(RowsView.Create(context, set, positions, columns, input.IsInterleaved)), columns.Score);
    }

    /// <summary>
    /// Exports an untrained network with perturbed batch-norm statistics and compares the two, so that a network that cannot be exported fails before hours of training.
    /// </summary>
    /// <returns>The network, on the CPU, for other checks; the caller disposes it.</returns>
    /// <exception cref="InvalidOperationException">The outputs of the network are not finite, because the features are too large.</exception>
    /// <exception cref="StudentExportException">The network and its ONNX form disagree.</exception>
    public Network Check(NetworkSpec spec)
    {
        var network = networks.Build(spec, "export check");
        try
        {
            Check(network, spec);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private void Check(Network network, NetworkSpec spec)
    {
        using var generator = seeds.CreateGenerator("export check");
        Parity.Perturb(network, set, generator);
        var chain = new StudentChain(context, network, columns, task);
        if (spec == options.Student)
            _untrained = (chain, network.Input);
        var difference = Parity.LargestDifference(context, chain, network, set, columns, task);
        if (double.IsInfinity(difference) && Parity.FindOverflowingValue(network, set, task) is { } largest)
        {
            throw new InvalidOperationException(
                Invariant($"{spec.Name} gives NaN or infinity for column '{columns.Features.Name}', whose values go up to {largest:G3}: 32-bit floats overflow. ") +
                "Normalise the features (mlContext.Transforms.NormalizeMeanVariance), or set the student's InputScaling to Standardize.");
        }

        if (!(difference <= task.Tolerance))
        {
            throw new StudentExportException(
                Invariant($"{spec.Name} and its ONNX form differ by up to {difference:0.0e0} in {task.ScoreName} (at most {task.Tolerance:0e0} is allowed), ") +
                "found before training: the forward pass and Emit of a block do not compute the same function.");
        }
    }

    /// <summary>Creates the model of a trained network, which is moved to the CPU.</summary>
    /// <param name="network">The network; the caller disposes it.</param>
    /// <param name="spec">Its description.</param>
    /// <param name="method">Name of the method that trained it.</param>
    /// <param name="role">Its name in logs.</param>
    /// <param name="teacher">The ML.NET model of the teacher, or null.</param>
    /// <param name="alone">The same student trained on labels alone, and the comparison with it; null for none.</param>
    /// <exception cref="StudentExportException">The network and its ONNX form disagree, or the export failed; the exception contains the network.</exception>
    public DistillationTransformer CreateModel(
        Network network, NetworkSpec spec, string method, string role, ITransformer? teacher, (DistillationTransformer Model, DistillationPayoff? Comparison)? alone = null)
    {
        Finish(network);
        var notes = role == FitNetworks.StudentRole ? networks.Notes : [];
        var model = new DistilledStudent(
            network, spec, networks.ClassNames, method, options.Seed!.Value, networks.History(role), notes, networks.WarningsOf(role), networks.SettingsOf(role));
        var chain = Export(network, spec, role, (message, inner) => new StudentExportException($"{message} in this exception's Student.", model, inner));
        return new DistillationTransformer(context, chain, inputSchema, model, teacher)
        {
            TrainedRows = role == FitNetworks.StudentRole ? networks.TrainedRows : null,
            Alone = alone?.Model,
            Comparison = alone?.Comparison,
        };
    }

    /// <summary>Puts a trained network into the state in which it is exported: on the CPU, in eval mode.</summary>
    public static void Finish(Network network)
    {
        network.to(CPU);
        network.eval();
    }

    /// <summary>Exports a finished network, and compares the two. If that fails, for example because the disk is full, the exception contains the trained weights.</summary>
    /// <param name="network">The network.</param>
    /// <param name="spec">Its description.</param>
    /// <param name="role">Its name in logs.</param>
    /// <param name="fail">Creates the exception, given what happened, which says last that the network is …, and its cause.</param>
    /// <exception cref="StudentExportException">The network and its ONNX form disagree, or the export failed.</exception>
    public StudentChain Export(Network network, NetworkSpec spec, string role, Func<string, Exception?, StudentExportException> fail)
    {
        _untrained = null;
        StudentChain chain;
        double difference;
        try
        {
            chain = new StudentChain(context, network, columns, task);
            difference = Parity.LargestDifference(context, chain, network, set, columns, task);
        }
        catch (Exception e)
        {
            throw fail($"The trained {role} ({spec.Name}) could not be exported as an ML.NET model: {e.Message} It is", e);
        }

        if (!(difference <= task.Tolerance))
        {
            throw fail(
                Invariant($"The trained {spec.Name} and its ONNX form differ by up to {difference:0.0e0} in {task.ScoreName} ") +
                Invariant($"(at most {task.Tolerance:0e0} is allowed). They agreed before training, so 32-bit floats are probably too coarse for the values of column '{columns.Features.Name}': ") +
                "scale them, for example by NormalizeMeanVariance; or a block computes something else once trained. The trained network is",
                null);
        }

        channel.Info($"The {role}'s ML.NET form agrees with its network within {difference:0.0e0}.");
        return chain;
    }
}
