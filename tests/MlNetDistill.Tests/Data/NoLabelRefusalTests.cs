using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

/// <summary>What cannot be done without labels.</summary>
public sealed class NoLabelRefusalTests : WithoutLabels
{
    [Test]
    public void What_learns_from_labels_alone_is_refused_by_name()
    {
        var alpha0 = Options() with { Method = DistillationMethod.Kd(alpha: 0) };
        var dkd = Options() with { Method = DistillationMethod.FromLoss("DKD", new CrossEntropyLoss() + new DkdLoss(4)) };
        Assert.Multiple(() =>
        {
            Assert.That(() => Context.Fit(alpha0, View), Throws.InvalidOperationException.With.Message.StartsWith(
                "Stage 'KD' learns from labels alone (crossEntropy (weight 1)), and no row trained on has one. Use a method whose every stage learns from the teacher"));
            Assert.That(() => Context.Fit(dkd, View), Throws.InvalidOperationException.With.Message.StartsWith(
                "Stage 'DKD' learns from labels alone (crossEntropy (weight 1), dkd (weight 1)), and no row trained on has one."));
            Assert.That(() => Context.Fit(Options() with { Teacher = Teacher.Train(NetworkSpec.Mlp(8)) }, View), Throws.InvalidOperationException.With.Message.Contains(
                "is trained on labels, and no row trained on has one that counts. Give a teacher that is trained already, or labelled rows."));
            Assert.That(() => Context.Fit(Options() with { Sampling = BatchSampling.ClassUniform(4) }, View), Throws.InvalidOperationException.With.Message.EndsWith(
                "Use BatchSampling.SuperclassUniform, which uses the teacher's outputs instead."));
            Assert.That(() => Context.Fit(Options() with { MinimumTeacherAccuracy = 0.5 }, View), Throws.InvalidOperationException.With.Message.EqualTo(
                "MinimumTeacherAccuracy 0.5 needs labels to compare the teacher with, and no row has one; leave it null."));
        });
    }

    [Test]
    public void A_head_that_learns_from_labels_is_refused_and_one_that_learns_from_the_teacher_trains()
    {
        using var first = TorchSharp.torch.nn.Sequential(TorchSharp.torch.nn.Linear(4, 16), TorchSharp.torch.nn.ReLU());
        using var last = TorchSharp.torch.nn.Linear(16, 3);
        using var module = TorchSharp.torch.nn.Sequential(first, last);
        var teacher = Teacher.FromModule(module, rows =>
        {
            var hidden = first.forward(rows);
            return new Networks.NetworkOutput(last.forward(hidden), null, [hidden]);
        }, classNames: Rows.Classes, scoreKind: ScoreKind.Logits);
        var options = Options() with { Teacher = teacher };
        Assert.Multiple(() =>
        {
            Assert.That(() => Context.Fit(options with { Method = DistillationMethod.Sskd() }, View), Throws.InvalidOperationException.With.Message.StartsWith(
                "Stage 'SSKD head' learns from labels alone"));
            Assert.That(Numbers(Context.Fit(options with { Method = DistillationMethod.Sskd(headLoss: new KdLoss(4)) }, View)), Has.All.Matches<double>(double.IsFinite));
        });
    }

    [Test]
    public void Every_setting_that_needs_labels_is_refused_at_once_without_a_label_column()
    {
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(4))) with
        {
            LabelColumnName = null,
            Method = DistillationMethod.LabelsOnly(),
            Sampling = BatchSampling.ClassUniform(4),
            MinimumTeacherAccuracy = 0.5,
        };
        Assert.That(() => Context.MulticlassClassification.Trainers.Distill(options), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(
            "The method labels only asks no teacher and learns from labels, and LabelColumnName is null: name the label column, or use a method that asks a teacher." + Environment.NewLine +
            "The teacher (MLP 4) is trained on labels, and LabelColumnName is null: name the label column, or give a teacher that is trained already." + Environment.NewLine +
            "BatchSampling.ClassUniform needs labels, and LabelColumnName is null; BatchSampling.SuperclassUniform uses the teacher's outputs instead." + Environment.NewLine +
            "MinimumTeacherAccuracy 0.5 needs labels to compare the teacher with, and LabelColumnName is null; leave MinimumTeacherAccuracy null."));
    }

    [Test]
    public void A_teacher_that_does_not_say_its_classes_is_refused_without_a_label_column()
    {
        using var module = TorchSharp.torch.nn.Linear(4, 3);
        var options = Options() with { Teacher = Teacher.FromModule(module), LabelColumnName = null };
        Assert.That(() => Context.Fit(options, View), Throws.InvalidOperationException.With.Message.EqualTo(
            "LabelColumnName is null, so the classes are the teacher's, and the teacher (Linear) does not say what they are. Give classNames with the teacher, in the " +
            "order of its scores; or name a key column in LabelColumnName, whose values name the classes even where no row has a label."));
    }

    [Test]
    public void Without_leave_to_learn_from_the_teacher_alone_the_message_says_how() => Assert.Multiple(() =>
    {
        Assert.That(() => Context.Fit(Options() with { MissingLabels = MissingLabels.Error }, View), Throws.InvalidOperationException.With.Message.Contains("TeacherOnly"));
        Assert.That(() => Context.Fit(Options() with { MissingLabels = MissingLabels.Drop }, View), Throws.InvalidOperationException.With.Message.Contains("TeacherOnly"));
    });
}
