using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests.PinnedStudents;

/// <summary>A student that is trained as the options say, on points unless other rows are named. The name is plain words, so that it outlives renamed code.</summary>
internal sealed record PinnedCase(string Name, Func<PinnedRun, DistillationOptions> Options, Func<PinnedRun, IDataView>? Rows = null)
{
    public PinnedCase(string name, DistillationOptions options)
        : this(name, _ => options)
    {
    }

    public static IReadOnlyList<PinnedCase> All => [.. PinnedMethods.Cases, .. PinnedNetworks.Cases, .. PinnedTraining.Cases, .. PinnedTeachers.Cases];

    /// <summary>A perceptron over points, taught by a perceptron that is trained on the spot; the taps of both are their hidden layers.</summary>
    public static DistillationOptions OfPoints { get; } = new()
    {
        Teacher = Teacher.Train(NetworkSpec.Mlp(8, 6), epochs: 2),
        Student = NetworkSpec.Mlp(6),
        LabelColumnName = "Class",
        Epochs = 2,
        BatchSize = 12,
        Optimizer = Optimizer.AdamW(0.02),
        Seed = 7,
        MinimumTeacherAccuracy = 0,
    };

    /// <summary>A small residual network over pictures, taught by a wider one.</summary>
    public static DistillationOptions OfPictures { get; } = OfPoints with
    {
        Teacher = Teacher.Train(NetworkSpec.ResNet(8, 4, 6, 8), epochs: 1),
        Student = NetworkSpec.ResNet(8, 2, 4, 6),
        ImageShape = InputShape.Image(1, 8, 8),
        BatchSize = 8,
    };

    public static PinnedCase Pictures(string name, DistillationOptions options) => new(name, _ => options, run => run.Pictures);
}
