using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>Checkpoints whose hash is right, and which this library did not write.</summary>
public sealed class ForgedCheckpointTests
{
    private static readonly NetworkSpec Spec = NetworkSpec.Mlp(3);
    private ToyFolder _folder = null!;

    private string FilePath => _folder.File("anchor.weights");

    [SetUp]
    public void MakeFolder() => _folder = new ToyFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void A_later_format_is_refused_with_both_numbers() =>
        Refused(found => found with { Format = 2 }, "it has format 2; this version of the library reads format 1.");

    [Test]
    public void An_impossible_description_is_refused()
    {
        Refused(found => found with { Epoch = 0 }, "its description is impossible: its epoch is 0.");
        Refused(found => found with { Classes = ["a", null!, "c"] }, "its description is impossible: it has the names of 2 classes, and 3 classes.");
        Refused(found => found with { Classes = ["a"] }, "its description is impossible: it has the names of 1 classes, and 3 classes.");
        Refused(found => found with { Features = new([0, 0, 0, 0], [1]) }, "its description is impossible: it has 4 means and 1 deviations of features.");
        Refused(found => found with { Input = found.Input with { Scaling = new([], []) } }, "its description is impossible: the input scaling has 0 values");
        Refused(found => found with { Input = new NetworkInput(default) }, "its description is impossible: the shape of the network's input must be given");
        Refused(found => found with { ClassCount = 0, Classes = null }, "its description is impossible: a network needs at least 1 logit");
    }

    [Test]
    public void Weights_of_lengths_that_no_network_has_are_refused()
    {
        using var network = Build();
        Write(description => description, network, [4, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]);
        Assert.That(() => CheckpointFile.Read(FilePath).Load(network), Throws.InvalidOperationException.With.Message.EqualTo(
            $"The checkpoint '{FilePath}' does not fit MLP 3 over these features and classes: in its weights they end within the name of a tensor. Give the network and the data of the route."));
    }

    [Test]
    public void A_large_file_that_is_no_checkpoint_is_not_read_into_memory()
    {
        using (var file = File.Create(FilePath))
            file.SetLength(1 << 30);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => CheckpointFile.Read(FilePath), Throws.InvalidOperationException.With.Message.Contains("it is not a checkpoint"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    private static Network Build() => Spec.Build(new NetworkInput(InputShape.Vector(4)), 3, seed: 1);

    private void Refused(Func<CheckpointDescription, CheckpointDescription> forge, string fault)
    {
        using var network = Build();
        Write(forge, network, DistilledStudent.WeightsOf(network));
        Assert.That(() => CheckpointFile.Read(FilePath), Throws.InvalidOperationException.With.Message.StartsWith($"The checkpoint '{FilePath}' cannot be used: {fault}"));
    }

    private void Write(Func<CheckpointDescription, CheckpointDescription> forge, Network network, byte[] weights) => CheckpointFile.Write(
        FilePath, forge(CheckpointDescription.Create("a run", 1, Spec, network, new ClassLabels(3, ["a", "b", "c"]), new InputStatistics([0, 0, 0, 0], [1, 1, 1, 1]))), weights);
}
