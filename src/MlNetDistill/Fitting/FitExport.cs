using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Export;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using TorchSharp;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Makes the networks of a fit into ML.NET models, and compares the two before training and after it.</summary>
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
    /// <summary>
    /// Exports an untrained network with perturbed batch-norm statistics and compares: a network that cannot be exported must fail now, not
    /// after hours of training.
    /// </summary>
    /// <returns>The network, on the CPU, for other checks; the caller disposes it.</returns>
    /// <exception cref="InvalidOperationException">The features are too large for any network.</exception>
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
        var difference = Parity.LargestDifference(context, new StudentChain(context, network, columns, task), network, set, columns, task);
        if (double.IsInfinity(difference) && Parity.FindOverflowingValue(network, set, task) is { } largest)
        {
            throw new InvalidOperationException(
                Invariant($"{spec.Name} gives no numbers for column '{columns.Features.Name}', whose values go up to {largest:G3}: 32-bit floats overflow. ") +
                "Normalise the features (mlContext.Transforms.NormalizeMeanVariance), or set the student's InputScaling to Standardize.");
        }

        if (!(difference <= task.Tolerance))
        {
            throw new StudentExportException(
                Invariant($"{spec.Name} and its ONNX form differ by up to {difference:0.0e0} in {task.ScoreName} (at most {task.Tolerance:0e0} is allowed), ") +
                "seen before training: a block's forward pass and its Emit do not compute the same function.",
                null);
        }
    }

    /// <summary>A trained network as a model. It is moved to the CPU.</summary>
    /// <param name="network">The network; stays the caller's.</param>
    /// <param name="spec">Its description.</param>
    /// <param name="method">Name of the method that trained it.</param>
    /// <param name="role">What it is called in logs.</param>
    /// <param name="teacher">The teacher's own model, or null.</param>
    /// <exception cref="StudentExportException">The network and its ONNX form disagree, or it could not be written; it is in the exception.</exception>
    public DistillationTransformer CreateModel(Network network, NetworkSpec spec, string method, string role, ITransformer? teacher)
    {
        network.to(CPU);
        network.eval();
        var notes = role == FitNetworks.StudentRole ? networks.Notes : [];
        var model = new DistilledStudent(
            network, spec, networks.ClassNames, method, options.Seed!.Value, networks.History(role), notes, networks.WarningsOf(role), networks.SettingsOf(role));
        var (chain, difference) = ExportAndCompare(network, model, role);
        if (!(difference <= task.Tolerance))
        {
            throw new StudentExportException(
                Invariant($"The trained {spec.Name} and its ONNX form differ by up to {difference:0.0e0} in {task.ScoreName} ") +
                Invariant($"(at most {task.Tolerance:0e0} is allowed). The trained network is in this exception's Student."),
                model);
        }

        channel.Info($"The {role}'s ML.NET form agrees with its network within {difference:0.0e0}.");
        return new DistillationTransformer(context, chain, inputSchema, model, teacher)
        {
            TrainedRows = role == FitNetworks.StudentRole ? networks.TrainedRows : null,
        };
    }

    /// <summary>Whatever goes wrong here (a full disk, say) must not cost the trained weights.</summary>
    private (StudentChain Chain, double Difference) ExportAndCompare(Network network, DistilledStudent model, string role)
    {
        try
        {
            var chain = new StudentChain(context, network, columns, task);
            return (chain, Parity.LargestDifference(context, chain, network, set, columns, task));
        }
        catch (Exception e)
        {
            throw new StudentExportException(
                $"The trained {role} ({model.Spec.Name}) could not be made into an ML.NET model: {e.Message} It is in this exception's Student.", model, e);
        }
    }
}
