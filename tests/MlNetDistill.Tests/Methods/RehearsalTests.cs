using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Methods;

/// <summary>A fit goes through its plan once to check it and once to train.</summary>
[NonParallelizable]
public sealed class RehearsalTests
{
    private static readonly MLContext Context = Rows.Context();
    private static readonly IDataView View = Context.Keyed(Rows.Points());
    private static int _enumerated;
    private static int _built;

    private static IEnumerable<TestCaseData> Teachers()
    {
        yield return new TestCaseData(Teacher.FromTransformer(Context.TeacherPipeline().Fit(View))).SetArgDisplayNames("fitted before");
        yield return new TestCaseData(Teacher.FromEstimator(Context.TeacherPipeline())).SetArgDisplayNames("fitted in the fit");
        yield return new TestCaseData(Teacher.Train(NetworkSpec.Mlp(8))).SetArgDisplayNames("trained in the fit");
    }

    [TestCaseSource(nameof(Teachers))]
    public void Phases_are_enumerated_and_the_student_is_built_once_to_check_them_and_once_to_train(Teacher teacher)
    {
        (_enumerated, _built) = (0, 0);
        Context.Fit(Rows.Quick(teacher) with { Student = new CountedSpec(), Method = new CountedMethod(), Epochs = 1 }, View);
        Assert.That((_enumerated, _built), Is.EqualTo((2, 2)));
    }

    [TestCaseSource(nameof(Teachers))]
    public void A_preflight_does_so_once(Teacher teacher)
    {
        (_enumerated, _built) = (0, 0);
        Context.MulticlassClassification.Trainers.Distill(Rows.Quick(teacher) with { Student = new CountedSpec(), Method = new CountedMethod() }).Preflight(View);
        Assert.That((_enumerated, _built), Is.EqualTo((1, 1)));
    }

    private sealed record CountedMethod : DistillationMethod
    {
        public override string Name => "counted";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public override IEnumerable<TrainingPhase> Phases(MethodContext context)
        {
            _enumerated++;
            yield return context.Stage("only", new KdLoss(2));
        }
    }

    private sealed record CountedSpec : NetworkSpec
    {
        public override string Name => "counted";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
        {
            _built++;
            return new NetworkPlan([new Linear(shape.Length, 6, generator), new Relu()], [1], 6);
        }
    }
}
