using MlNetDistill.Core;
using MlNetDistill.Data;

namespace MlNetDistill.Tests;

public sealed class AugmentationFaultTests
{
    private static readonly InputShape Vector = InputShape.Vector(16);
    private static readonly InputShape Image = InputShape.Image(1, 8, 6);

    public static IEnumerable<TestCaseData> Settings()
    {
        yield return new(Augmentation.RandomCrop(0), "RandomCrop's padding must be at least 1; was 0.");
        yield return new(Augmentation.HorizontalFlip(1.5), "HorizontalFlip's probability must be in [0, 1]; was 1.5.");
        yield return new(Augmentation.HorizontalFlip(double.NaN), "HorizontalFlip's probability must be in [0, 1]; was NaN.");
        yield return new(Augmentation.Mixup(0), "Mixup's alpha must be in [0.001, 1000]; was 0.");
        yield return new(Augmentation.CutMix(double.PositiveInfinity), "CutMix's alpha must be in [0.001, 1000]; was Infinity.");
        yield return new(Augmentation.GaussianNoise(0), "GaussianNoise's deviation must be above 0; was 0.");
        yield return new(Augmentation.GaussianNoise(double.NaN), "GaussianNoise's deviation must be above 0; was NaN.");
        yield return new(Augmentation.MarginalSwap(-0.1), "MarginalSwap's probability must be in [0, 1]; was -0.1.");
    }

    [TestCaseSource(nameof(Settings))]
    public void A_faulty_setting_is_named(Augmentation augmentation, string fault) =>
        Assert.That(augmentation.Validate(), Is.EqualTo(new[] { fault }));

    public static IEnumerable<TestCaseData> Shapes()
    {
        yield return new(Augmentation.RandomCrop(), Vector, "RandomCrop works on images only; these rows are a vector of 16.");
        yield return new(Augmentation.RandomCrop(6), Image, "RandomCrop's padding of 6 must be smaller than the image (1×8×6).");
        yield return new(Augmentation.HorizontalFlip(), Vector, "HorizontalFlip works on images only; these rows are a vector of 16.");
        yield return new(Augmentation.CutMix(), Vector, "CutMix works on images only; these rows are a vector of 16.");
    }

    [TestCaseSource(nameof(Shapes))]
    public void Rows_of_the_wrong_shape_are_named(Augmentation augmentation, InputShape shape, string fault) =>
        Assert.That(augmentation.ValidateShape(shape), Is.EqualTo(fault));

    [Test]
    public void Good_settings_and_shapes_have_no_faults()
    {
        Augmentation[] images =
            [Augmentation.RandomCrop(5), Augmentation.HorizontalFlip(0), Augmentation.CutMix(), Augmentation.Mixup(), Augmentation.GaussianNoise(1), Augmentation.MarginalSwap()];
        Augmentation[] vectors = [Augmentation.Mixup(0.001), Augmentation.Mixup(1000), Augmentation.GaussianNoise(1), Augmentation.MarginalSwap(1)];
        Assert.That(images.Concat(vectors).SelectMany(a => a.Validate()), Is.Empty);
        Assert.That(images.Select(a => a.ValidateShape(Image)).Concat(vectors.Select(a => a.ValidateShape(Vector))), Is.All.Null);
    }

    [Test]
    public void Rows_are_mixed_once_at_most()
    {
        Assert.That(Augmentation.ValidateList([Augmentation.Mixup(), Augmentation.HorizontalFlip(), Augmentation.CutMix()]), Is.EqualTo(
            new[] { "Augmentations may contain one Mixup or one CutMix, not both; it contains 2." }));
        Assert.That(Augmentation.ValidateList([Augmentation.HorizontalFlip(), Augmentation.CutMix()]), Is.Empty);
    }

    [Test]
    public void A_list_must_be_there_and_hold_no_null()
    {
        Assert.That(Augmentation.ValidateList(null), Is.EqualTo(new[] { "Augmentations must not be null; use an empty list for none." }));
        Assert.That(Augmentation.ValidateList([null!]), Is.EqualTo(new[] { "Augmentations must not contain null." }));
        Assert.That(Augmentation.ValidateList([Augmentation.Mixup(), null!]), Is.EqualTo(new[] { "Augmentations must not contain null." }));
    }

    [Test]
    public void Faults_of_the_augmentations_come_before_those_of_their_list() => Assert.That(
        Augmentation.ValidateList([Augmentation.Mixup(0), Augmentation.CutMix()]),
        Is.EqualTo(new[] { "Mixup's alpha must be in [0.001, 1000]; was 0.", "Augmentations may contain one Mixup or one CutMix, not both; it contains 2." }));
}
