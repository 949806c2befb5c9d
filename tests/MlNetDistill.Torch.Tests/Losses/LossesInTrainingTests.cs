using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// Every loss as the only term of a short training, from a network of other widths. Standardised logits are not among them: the images have two
/// classes, which leave them no gradient.
/// </summary>
public sealed class LossesInTrainingTests
{
    private static readonly Dictionary<string, DistillationLoss> Losses = new()
    {
        ["dist"] = new DistLoss(1),
        ["congruence"] = 100 * new CorrelationCongruenceLoss(),
        ["pairs"] = new AdjacentPairsLoss(),
        ["hint"] = new HintLoss((1, 2), (3, 3)),
        ["stage feature"] = new StageFeatureLoss(3, 3),
        ["attention"] = 100 * new AttentionTransferLoss((1, 2), (3, 3)),
        ["dkd"] = new DkdLoss(4).WithWarmup(2),
        ["rkd"] = new RkdLoss(),
        ["nkd"] = new NkdLoss(),
        ["ttm"] = 45 * new TtmLoss(0.5),
        ["wttm"] = 4 * new WttmLoss(0.5),
        ["rld"] = new RldLoss().WithWarmup(2),
        ["logit matching"] = new LogitMatchingLoss(centered: true),
        ["kd, true class"] = new KdLoss(1).WithTargets(TeacherTargets.TrueClass()),
        ["lipschitz"] = new LipschitzLoss([(1, 2), (3, 3)]),
        ["margin feature"] = new MarginFeatureLoss([(1, 2), (3, 3)]),
        ["graph"] = 25 * new GraphKdLoss([(1, 2), (3, 3)]),
    };

    public static IEnumerable<string> All => Losses.Keys;

    [TestCaseSource(nameof(All))]
    public void The_loss_falls_in_training_and_leaves_no_tensor_behind(string name)
    {
        using var set = Toy.Images(32);
        using var teacherNetwork = Runs.Student(NetworkSpec.ResNet(8, 4, 4, 8, 24), set, seed: 7);
        Runs.Train(teacherNetwork, set, Runs.Stage(3));
        using var teacher = new NetworkTeacher(teacherNetwork, TeacherCaching.InMemory(16));
        using var student = Runs.Student(NetworkSpec.ResNet(8, 4, 8, 16, 16), set);
        var stage = Runs.Stage(8, Losses[name], teacher, 16, Optimizer.AdamW());
        Runs.Train(student, set, stage with { Epochs = 1 });
        Collect();
        var live = Tensor.TotalCount;

        var (reports, _) = Runs.Train(student, set, stage);
        Collect();
        var left = Tensor.TotalCount - live;
        Assert.That(left, Is.EqualTo(ParametersOfProjections(Losses[name], student, teacher)));
        var losses = reports.Select(r => r.Losses.Values.Single()).ToList();
        Assert.That(losses[^1], Is.LessThan(0.9 * losses[0]), string.Join(" ", losses));
    }

    // TorchSharp 0.107 counts the tensor that a parameter was made from for ever, though the parameter takes it over and frees it.
    private static int ParametersOfProjections(DistillationLoss loss, Network student, NetworkTeacher teacher)
    {
        using var generator = new Generator(1);
        return loss.Terms.Single().Loss.CreateProjections(student.GetOutputShapes(), teacher.Shapes, generator).Sum(p => p.parameters().Count());
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
