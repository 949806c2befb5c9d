using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Hostile.Uses;

/// <summary>The state of torch around a fit, and losses of a user's own that give no gradient, no number or nothing.</summary>
internal static class GradientCases
{
    public static IEnumerable<Case> All => [.. States(), .. OwnLosses()];

    private static IEnumerable<Case> States()
    {
        yield return Case.Works("a fit under no_grad", () =>
        {
            using (no_grad())
            {
                Sample.Learns(Sample.Learning());
                Check.Equal(is_grad_enabled(), false, "gradients enabled afterwards");
            }
        });
        yield return Case.Works("a fit under inference_mode", () =>
        {
            using (inference_mode())
            {
                Sample.Learns(Sample.Learning());
                Check.Equal(is_inference_mode_enabled(), true, "inference mode afterwards");
            }
        });
        yield return Case.Works("a fit after set_grad_enabled(false)", () =>
        {
            using (set_grad_enabled(false))
            {
                Sample.Learns(Sample.Learning());
                Check.Equal(is_grad_enabled(), false, "gradients enabled afterwards");
            }
        });
        yield return Case.Works("KD from a module under no_grad", () =>
        {
            using (no_grad())
                Sample.Learns(Sample.Learning(Sample.Teaching()) with { Method = DistillationMethod.Kd(alpha: 1) });
        });
        yield return Case.Works("a teacher trained on the spot under inference_mode", () =>
        {
            using (inference_mode())
                Sample.Learns(Sample.Learning(Teacher.Train(NetworkSpec.Mlp(12))));
        });
        yield return Case.Works("DIST under no_grad", () =>
        {
            using (no_grad())
                Sample.Learns(Sample.Learning(Sample.Teaching()) with { Method = DistillationMethod.Dist() });
        });
        yield return Case.Works("a preflight under inference_mode", () =>
        {
            using (inference_mode())
                Check.Equal(Sample.Trainer(Sample.Short(Sample.Teaching())).Preflight(Sample.Points()).Rows, 120, "rows");
        });
        yield return Case.Works("a fit with float64 as the default type", () =>
        {
            set_default_dtype(float64);
            try
            {
                Sample.Learns(Sample.Learning());
                Check.Equal(get_default_dtype(), float64, "default type afterwards");
            }
            finally
            {
                set_default_dtype(float32);
            }
        });
        yield return Case.WorksOrRefused("a module made under float64 teaches", () =>
        {
            set_default_dtype(float64);
            try
            {
                var module = nn.Linear(4, 3);
                Sample.Fit(Sample.Short(Teacher.FromModule(module, classNames: Rows.Classes)));
            }
            finally
            {
                set_default_dtype(float32);
            }
        }, "Float64");
        yield return Case.Works("float64 as the default type, with a module of float32", () =>
        {
            var teacher = Sample.Teaching();
            set_default_dtype(float64);
            try
            {
                Sample.Learns(Sample.Learning(teacher) with { Method = DistillationMethod.Kd(alpha: 1) });
            }
            finally
            {
                set_default_dtype(float32);
            }
        });
        yield return Case.Works("the number of threads is left alone", () =>
        {
            var before = get_num_threads();
            Sample.Fit(Sample.Short());
            Check.Equal(get_num_threads(), before, "threads");
        });
        yield return Case.Works("the process-wide generator is left alone", () =>
        {
            random.manual_seed(3);
            using var expected = rand(4);
            random.manual_seed(3);
            Sample.Fit(Sample.Short());
            using var found = rand(4);
            Check.That(expected.equal(found).all().item<bool>(), "another draw after a fit");
        });
        yield return Case.Works("the same seed under no_grad gives the same student", () =>
        {
            var view = Sample.Points();
            var plain = Sample.Fit(Sample.Short(), view).Scores(view);
            using (no_grad())
                Check.That(plain.Zip(Sample.Fit(Sample.Short(), view).Scores(view)).All(p => p.First.SequenceEqual(p.Second)), "other scores");
        });
        yield return Case.Works("scoring under inference_mode", () =>
        {
            var student = Sample.Fit(Sample.Learning());
            using (inference_mode())
                Check.AtLeast(Sample.Accuracy(student), 0.9, "accuracy");
        });
    }

    private static Case Own(string name, Func<LossInputs, Tensor> value, params string[] words) => Case.Refused(
        name, () => Sample.Fit(Sample.Short(Sample.Teaching()) with { Method = DistillationMethod.FromLoss("Mine", new OwnLoss(value)) }), words);

    private static IEnumerable<Case> OwnLosses()
    {
        yield return Own("a loss that is detached", inputs => inputs.Student.Logits.square().mean().detach(), "mine", "does not depend on the student's parameters");
        yield return Own("a loss that is null", _ => null!, "mine", "null");
        yield return Own("a loss that is NaN", inputs => inputs.Student.Logits.mul(float.NaN).mean(), "mine", "NaN");
        yield return Own("a loss that is infinite", inputs => inputs.Student.Logits.abs().mean().div(0f), "mine", "infinite");
        yield return Own("a loss that is a constant", _ => tensor(1f), "mine", "does not depend on the student's parameters");
        yield return Own("a loss of the teacher alone", inputs => inputs.Teacher.Logits.square().mean(), "mine", "does not depend on the student's parameters");
        yield return Own("a loss for each row", inputs => inputs.Student.Logits.square().mean([1]), "mine", "scalar");
        yield return Own("a loss of whole numbers", inputs => inputs.Student.Logits.argmax(1).sum(), "mine");
        yield return Case.Works("a loss of float64", () => Sample.Learns(Sample.Learning(Sample.Teaching()) with
        {
            Method = DistillationMethod.FromLoss("Mine", new OwnLoss(inputs => KdLoss.Compute(inputs.Student.Logits.to(float64), inputs.Teacher.Logits.to(float64), 1).mean())),
        }));
        yield return Own("a loss that throws", _ => throw new InvalidOperationException("The sky is falling."), "The sky is falling");
        yield return Case.Refused("a loss that disposes of what it read", () => Sample.Fit(Sample.Short(Sample.Teaching()) with
        {
            Method = DistillationMethod.FromLoss("Mine", new OwnLoss(inputs =>
            {
                var value = KdLoss.Compute(inputs.Student.Logits, inputs.Teacher.Logits, 1).mean();
                inputs.Teacher.Logits.Dispose();
                return value;
            })),
        }), "mine", "disposed of outputs of the teacher");
        yield return Own("a loss that multiplies other shapes", inputs => inputs.Student.Logits.mm(zeros(7, 7)).mean(), "mine");
        yield return Own("a loss that reads an embedding it did not ask for", inputs => inputs.Teacher.Embedding.mean(), "Embedding", "TeacherNeeds");
        yield return Case.Refused("one term of a sum that is detached", () => Sample.Fit(Sample.Short(Sample.Teaching()) with
        {
            Method = DistillationMethod.FromLoss("Both", new CrossEntropyLoss() + new OwnLoss(inputs => inputs.Student.Logits.square().mean().detach())),
        }), "mine", "does not depend on the student's parameters");
        yield return Case.Works("a term of weight 0 that is detached counts for the report alone", () => Sample.Learns(Sample.Learning(Sample.Teaching()) with
        {
            Method = DistillationMethod.FromLoss("Both", new CrossEntropyLoss() + (0 * new OwnLoss(inputs => inputs.Student.Logits.square().mean().detach()))),
        }));
        yield return Case.Refused("a loss under no_grad", () => Sample.Fit(Sample.Short(Sample.Teaching()) with
        {
            Method = DistillationMethod.FromLoss("Mine", new OwnLoss(inputs =>
            {
                using (no_grad())
                    return inputs.Student.Logits.square().mean();
            })),
        }), "mine", "does not depend on the student's parameters");
        yield return Case.Refused("a loss without a name", () => Sample.Fit(Sample.Short(Sample.Teaching()) with
        {
            Method = DistillationMethod.FromLoss("Mine", new OwnLoss(inputs => inputs.Student.Logits.square().mean(), name: null!)),
        }), "OwnLoss", "Name");
        yield return Case.WorksOrRefused("two losses of one name", () =>
        {
            var student = Sample.Fit(Sample.Short(Sample.Teaching()) with
            {
                Method = DistillationMethod.FromLoss("Mine", new OwnLoss(inputs => inputs.Student.Logits.square().mean()) + new OwnLoss(inputs => inputs.Student.Logits.abs().mean())),
            });
            Check.That(student.Model.History[^1].Losses.Count >= 3, $"only {string.Join(", ", student.Model.History[^1].Losses.Keys)} is reported");
        }, "mine");
    }

    private sealed class OwnLoss(Func<LossInputs, Tensor> value, string name = "mine") : DistillationLoss
    {
        public override string Name => name;

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public override Tensor Evaluate(LossInputs inputs) => value(inputs);
    }
}
