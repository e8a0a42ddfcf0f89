"""The BibTeX entries of the rules."""

SGT_PAPER = """\
@article{kang2023semantic,
  title   = {Semantic Guidance Tuning for Text-To-Image Diffusion Models},
  author  = {Kang, Hyun and Lee, Dohae and Shin, Myungjin and Lee, In-Kwon},
  journal = {arXiv preprint arXiv:2312.15964},
  year    = {2023}
}"""

CFG_PAPER = """\
@article{ho2022classifier,
  title   = {Classifier-Free Diffusion Guidance},
  author  = {Ho, Jonathan and Salimans, Tim},
  journal = {arXiv preprint arXiv:2207.12598},
  year    = {2022}
}"""
